"""Acton/Princeton SpectraPro monochromator on a serial line (CR in, `` ok`` CR LF out).

Texts: IsoPlane SCT-320 and SP-750i manuals, and public drivers (odemis, fsc2, yaq, ScopeFoundry).
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar

from labctl_sim.princeton._spectrapro_drive import Drive, Motion, gratings_from
from labctl_sim.princeton._spectrapro_status import FOCAL_LENGTH_MM
from labctl_sim.princeton._spectrapro_words import NoMotorError, NotUnderstoodError, Vocabulary
from labctl_sim.wire import Send, SerialLine, Session
from labctl_sim.world import DEFAULT_SLIT_UM, SpectrographTruth, World, truth_defaults

_OK = " ok\r\n"
_GARBAGE = b"\x00X\xf0~\x00X\xf0~"
_ADDRESS_ERROR = "\r\nAddress Error \r\nA=3F4F4445 PC=81444\r\n"
_PIECES = 3


class SpectraPro:
    """The monochromator's controller.

    Args:
        name: The instrument's name.
        world: The world; its spectrograph is this one.
        settings: ``gratings``: number to lines per mm, or to a block with ``lines_per_mm`` and
            ``blaze_nm``; what the user believes to be installed.
        truth: What differs from ``truth_defaults``; ``installed`` tells the gratings that are
            really there (``300/500, 1800/500``), empty: those of the settings; ``start_grating``
            is in use at first, 0: the one of the lowest number.

    Raises:
        ValueError: The model is unknown, ``installed`` cannot be read, or the starting grating is
            not installed.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **truth_defaults(SpectrographTruth),
        "model": "SP-2-500i",
        "serial_number": "25061234",
        "installed": "",
        "baud": 9600,
        "echo": True,
        "goto_speed_nm_s": 200.0,
        "grating_change_s": 12.0,
        "mirror_s": 2.0,
        "slit_s": 1.0,
        "homing_s": 30.0,
        "wavelength_offset_nm": 0.0,
        "start_grating": 0,
        "start_wavelength_nm": 0.0,
        "entrance_port": "front",
        "entrance_slit_um": DEFAULT_SLIT_UM,
        "entrance_slit_motor": False,
        "exit_mirror_motor": True,
        "entrance_mirror_motor": False,
        "unitless_nm": False,
        "split_replies": False,
        "garbage_at_power_up": False,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name = name
        self.world = world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self._own_serial = self.truth["serial_number"]
        problems = self.truth_problems(settings, truth)
        if problems:
            raise ValueError(f"{name}: " + "; ".join(text for _, text in problems))
        gratings = gratings_from(settings, str(self.truth["installed"]))
        world.attach_spectrograph(self.truth)
        self.drive = Drive(world, gratings, self.truth)
        self.echo = bool(self.truth["echo"])
        self.silent_until_s = float("-inf")
        self.vocabulary = Vocabulary(
            self.drive, self.truth, restart=self._restart, set_echo=self._set_echo
        )
        self._garbage = int(bool(self.truth["garbage_at_power_up"]))
        self._address_errors = 0
        self._refusals = 0

    @classmethod
    def truth_problems(
        cls, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Tell which truths cannot be: key, and what is wrong with a hint."""
        whole = {**cls.truth_defaults, **truth}
        problems: list[tuple[str, str]] = []
        if whole["model"] not in FOCAL_LENGTH_MM:
            known = ", ".join(FOCAL_LENGTH_MM)
            problems.append(("model", f"no model {whole['model']!r}; there are {known}"))
        try:
            gratings = gratings_from(settings, str(whole["installed"]))
        except ValueError as error:
            return [*problems, ("installed", str(error))]
        start = whole["start_grating"]
        if not gratings:
            problems.append(("installed", "there is no grating at all; write 300/500, 1800/500"))
        elif start and start not in gratings:
            there = ", ".join(map(str, gratings))
            text = f"there is no grating {start} to start with; there are {there}"
            problems.append(("start_grating", text))
        return problems

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_garbage(self, times: int = 1) -> None:
        """Do not understand the next lines and send garbage before saying so."""
        self._garbage += times

    def fault_address_error(self, times: int = 1) -> None:
        """Answer the next lines with a crash dump."""
        self._address_errors += times

    def fault_refuse(self, times: int = 1) -> None:
        """Answer the next lines as not understood."""
        self._refusals += times

    def fault_lie(self, times: int = 1) -> None:
        """Say ok to the next moves or grating changes and stay."""
        self.drive.lies += times

    def fault_slip(self, offset_nm: float) -> None:
        """Lose steps: the true wavelength is off, the counter does not show it."""
        self.drive.slip(offset_nm)

    def fault_other_unit(self, serial: str = "25069999") -> None:
        """Be another unit of the same model from now on, as after a change of cables."""
        self.truth["serial_number"] = serial

    def clear_faults(self) -> None:
        """End all faults."""
        self.truth["serial_number"] = self._own_serial
        self._garbage = self._address_errors = self._refusals = 0
        self.drive.lies = 0
        self.drive.slip(0.0)

    def reset(self) -> None:
        """Lose power for a moment: silent while homing, then power-up values and echo."""
        self.drive.restart()
        self.echo = bool(self.truth["echo"])
        self.silent_until_s = self.world.now() + float(self.truth["homing_s"])

    def spoilt(self, line: str) -> bytes | None:
        """Count one line; give the reply if a fault wants it not to be understood."""
        if self._address_errors or line.strip() == "?":
            self._address_errors = max(0, self._address_errors - 1)
            return _ADDRESS_ERROR.encode()
        if self._garbage or self._refusals:
            noise = _GARBAGE if self._garbage else b""
            self._garbage = max(0, self._garbage - 1)
            self._refusals = max(0, self._refusals - 1)
            return noise + _not_understood(line.split()[-1])
        return None

    def _restart(self) -> Motion:
        return Motion(float(self.truth["homing_s"]), self.drive.restart)

    def _set_echo(self, on: bool) -> None:
        self.echo = on


class _Session:
    """One client: characters in, lines carried out one after the other."""

    def __init__(self, device: SpectraPro, send: Send) -> None:
        self._device = device
        self._line = SerialLine(device.world, send, int(device.truth["baud"]))
        self._partial = bytearray()
        self._lines: deque[str] = deque()
        self._tokens: deque[str] = deque()
        self._stack: list[float] = []
        self._printed = ""
        self._busy = False

    def receive(self, data: bytes) -> None:
        """Echo characters; carry out whole lines when the one before has ended."""
        if self._device.world.now() < self._device.silent_until_s:
            return
        if self._device.echo:
            echo = data.replace(b"\r", b"").replace(b"\n", b"")
            if echo:
                self._line.transmit(echo)
        *whole, rest = (self._partial + data).replace(b"\n", b"").split(b"\r")
        self._partial = bytearray(rest)
        self._lines += [line.decode("ascii", "replace") for line in whole]
        if not self._busy:
            self._next_line()

    def closed(self) -> None:
        """Forget lines that were not begun; a motion goes on."""
        self._lines.clear()
        self._partial.clear()

    def _next_line(self) -> None:
        while self._lines and not self._busy:
            line = self._lines.popleft()
            if not line.strip():
                self._reply(_OK.encode())
                continue
            spoilt = self._device.spoilt(line)
            if spoilt is not None:
                self._reply(spoilt)
                continue
            self._tokens = deque(line.split())
            self._stack, self._printed, self._busy = [], "", True
            self._go_on()

    def _go_on(self) -> None:
        """Carry out words until one takes time or the line ends."""
        try:
            while self._tokens:
                motion = self._word(self._tokens.popleft())
                if motion is not None and motion.duration_s > 0.0:
                    self._wait(motion)
                    return
                if motion is not None:
                    motion.arrive()
        except NotUnderstoodError as word:
            self._end(_not_understood(str(word)))
        except NoMotorError as text:
            self._end(f" {text} {_OK}".encode())
        else:
            self._end(f"{self._printed}{_OK}".encode())

    def _word(self, token: str) -> Motion | None:
        number = _number(token)
        if number is not None:
            self._stack.append(number)
            return None
        text, motion = self._device.vocabulary.speak(token.upper(), self._stack)
        if text:
            self._printed += text if text.startswith("\r\n") else f" {text} "
        return motion

    def _wait(self, motion: Motion) -> None:
        def arrive() -> None:
            motion.arrive()
            self._go_on()
            self._next_line()

        self._device.world.after(motion.duration_s, arrive)

    def _end(self, reply: bytes) -> None:
        self._tokens.clear()
        self._busy = False
        self._reply(reply)

    def _reply(self, data: bytes) -> None:
        if not self._device.truth["split_replies"]:
            self._line.transmit(data)
            return
        step = -(-len(data) // _PIECES)
        for start in range(0, len(data), step):
            self._line.transmit(data[start : start + step])
            self._line.pause(0.01)


def _not_understood(word: str) -> bytes:
    return f"{word} ? \r\n".encode()


def _number(token: str) -> float | None:
    """Read a plain decimal number; other spellings are words."""
    if not set(token) <= set("+-.0123456789"):
        return None
    try:
        return float(token)
    except ValueError:
        return None
