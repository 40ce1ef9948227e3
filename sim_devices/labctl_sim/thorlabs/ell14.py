"""Thorlabs ELL14 rotation mount (Elliptec): a unit on a serial line of up to sixteen.

Commands: the ELLx modules protocol manual as public drivers use it (pylablib, elliptec,
thorlabs_elliptec), identity and status as real mounts send them. A module frames by length and
needs no terminator. It answers a move only when it has ended. Speed: the data sheet's 430 deg/s.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.thorlabs._ring import RING_TRUTH, Ring
from labctl_sim.wire import Send, SerialLine, Session
from labctl_sim.world import World

_LENGTHS: Mapping[str, int] = {
    **dict.fromkeys(("in", "gs", "gp", "gj", "go", "gv", "fw", "bw", "us", "st"), 0),
    **dict.fromkeys(("i1", "i2", "s1", "s2"), 0),
    **dict.fromkeys(("ho", "ca"), 1),
    **dict.fromkeys(("sv",), 2),
    **dict.fromkeys(("f1", "f2", "b1", "b2"), 4),
    **dict.fromkeys(("ma", "mr", "sj", "so"), 8),
}
"""Command → characters of data behind it."""

OK, TIME_OUT, STUCK, UNKNOWN, BUSY, THERMAL, OUT_OF_RANGE = 0x00, 0x01, 0x02, 0x03, 0x09, 0x08, 0x0C
_ADDRESSES = "0123456789ABCDEF"
_HALF_SAID_S = 2.0
_STUCK_S = 2.0
_SEARCH_S = 0.3
_TUNING_S = 3.0


class Ell14:
    """One mount.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``bus_address`` (0 to 15) is used.
        truth: What differs from ``truth_defaults``; with ``announces_busy`` a move is answered by
            the status "busy" first, as some firmware does.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **RING_TRUTH,
        "baud": 9600,
        "serial": "11400517",
        "pulses_per_turn_count": 143360,
        "speed_deg_s": 430.0,
        "acceleration_deg_s2": 4000.0,
        "announces_busy": False,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.address = f"{int(settings.get('bus_address', 0)):X}"
        self.ring = Ring(
            world,
            name,
            self.truth,
            speed_deg_s=float(self.truth["speed_deg_s"]),
            acceleration_deg_s2=float(self.truth["acceleration_deg_s2"]),
        )
        self._senders: list[Callable[[str], None]] = []
        self._turn = int(self.truth["pulses_per_turn_count"])
        self._status = OK
        self._thermal = False
        self._busy = False
        self._jog = 0
        self._home_offset = 0
        self._velocity = 100

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send, self._senders)

    def fault_stick(self) -> None:
        """Hold the ring until cleared: moves end with a mechanical time-out."""
        self.ring.stuck = True

    def fault_overheat(self) -> None:
        """Answer moves with a thermal error until cleared."""
        self._thermal = True

    def fault_button(self, angle_deg: float = 45.0) -> None:
        """Let somebody press the button on the board: the mount jogs and says so, unasked."""
        self._say("BS09")
        there = self.ring.shown_deg() + angle_deg
        self.ring.turn_to(there, lambda: self._say(f"BO{self._pulses():08X}"))

    def clear_faults(self) -> None:
        """Free the ring and let it cool."""
        self.ring.stuck = self._thermal = False

    def reset(self) -> None:
        """Lose power for a moment: the position is no longer known."""
        self.ring.switch_on()
        self._busy, self._status, self._velocity = False, OK, 100

    def answer(self, word: str, data: str, reply: Callable[[str], None]) -> None:
        """Carry a command out; ``reply`` takes text without address, now or when it has ended."""
        if self._busy:
            reply(f"GS{BUSY:02X}")
        elif word in ("ma", "mr", "fw", "bw", "ho"):
            self._move(word, data, reply)
        elif word in ("s1", "s2"):
            self._later(_TUNING_S, lambda: reply("GS00"))
        else:
            reply(self._simple(word, data))

    def _simple(self, word: str, data: str) -> str:
        match word:
            case "in":
                return f"IN0E{self.truth['serial']}202317010168{self._turn:08X}"
            case "gs":
                status, self._status = self._status, OK
                return f"GS{status:02X}"
            case "gp":
                return f"PO{self._pulses():08X}"
            case "gj":
                return f"GJ{self._jog:08X}"
            case "go":
                return f"HO{self._home_offset & 0xFFFFFFFF:08X}"
            case "gv":
                return f"GV{self._velocity:02X}"
            case "i1" | "i2":
                return f"{word.upper()}1002A4FFFFFFFF00AA00A0"
            case _:
                return f"GS{self._set(word, data):02X}"

    def _set(self, word: str, data: str) -> int:
        value = _signed(data)
        match word:
            case "sj" if value >= 0:
                self._jog = value
            case "so":
                self._home_offset = value
            case "sv" if 0 < value <= 100:
                self._velocity = value
                self.ring.speed_deg_s = 0.01 * value * float(self.truth["speed_deg_s"])
            case "ca" if data in _ADDRESSES:
                self.address = data
            case "sj" | "sv":
                return OUT_OF_RANGE
            case _:
                return OK
        return OK

    def _move(self, word: str, data: str, reply: Callable[[str], None]) -> None:
        target = self._target(word, data)
        refusal = THERMAL if self._thermal else OUT_OF_RANGE if target is None else OK
        if refusal:
            self._status = refusal
            reply(f"GS{refusal:02X}")
            return
        if self.truth["announces_busy"]:
            reply(f"GS{BUSY:02X}")
        if self.ring.stuck:
            self._later(_STUCK_S, lambda: self._give_up(reply))
            return
        self._busy = True

        def done() -> None:
            self._busy = False
            reply(f"PO{self._pulses():08X}")

        if word == "ho":
            home_deg = self._home_offset * 360.0 / self._turn
            self.ring.home(done, search_s=_SEARCH_S, home_deg=home_deg)
        else:
            self.ring.turn_to((target or 0) * 360.0 / self._turn, done)

    def _target(self, word: str, data: str) -> int | None:
        """Give the pulses to go to; None: out of the travel."""
        jumps = {"fw": self._jog, "bw": -self._jog}
        if word == "ho":
            return 0
        value = _signed(data) if data else jumps[word]
        target = value if word == "ma" else self._count() + value
        # Within the scatter about its ends a mount may stand a little outside.
        return target if word != "ma" or 0 <= target <= self._turn else None

    def _give_up(self, reply: Callable[[str], None]) -> None:
        self._status = STUCK
        reply(f"GS{STUCK:02X}")

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        self._busy = True

        def end() -> None:
            self._busy = False
            action()

        self.world.after(delay_s, end)

    def _count(self) -> int:
        return round(self.ring.shown_deg() * self._turn / 360.0)

    def _pulses(self) -> int:
        return self._count() & 0xFFFFFFFF

    def _say(self, text: str) -> None:
        for send in self._senders:
            send(text)


class _Session:
    """One client: cuts commands to all units by their length; CR and LF are skipped."""

    def __init__(self, device: Ell14, send: Send, senders: list[Callable[[str], None]]) -> None:
        self._device, self._senders = device, senders
        self._line = SerialLine(device.world, send, int(device.truth["baud"]))
        self._partial, self._heard_s = "", 0.0
        senders.append(self._reply)

    def receive(self, data: bytes) -> None:
        """Answer whole commands to this unit."""
        now_s = self._device.world.now()
        if now_s - self._heard_s > _HALF_SAID_S:
            self._partial = ""
        self._heard_s = now_s
        text = data.decode("ascii", "replace").replace("\r", "").replace("\n", "")
        self._partial += text
        while (command := self._cut()) is not None:
            self._obey(command)

    def closed(self) -> None:
        """Say nothing more to this client."""
        self._partial = ""
        self._senders.remove(self._reply)

    def _cut(self) -> str | None:
        word = self._partial[1:3]
        length = 3 + _LENGTHS.get(word, 0)
        if len(word) < 2 or len(self._partial) < length:
            return None
        command, self._partial = self._partial[:length], self._partial[length:]
        return command

    def _obey(self, command: str) -> None:
        address, word, data = command[0], command[1:3], command[3:]
        if address != self._device.address:
            return
        if word not in _LENGTHS or (data and not _is_hex(data)):
            self._reply(f"GS{UNKNOWN:02X}")
        else:
            self._device.answer(word, data, self._reply)

    def _reply(self, text: str) -> None:
        self._line.transmit(f"{self._device.address}{text}\r\n".encode("ascii"))


def _is_hex(data: str) -> bool:
    return all(character in _ADDRESSES for character in data)


def _signed(data: str) -> int:
    if not data:
        return 0
    value = int(data, 16)
    return value - 0x100000000 if len(data) == 8 and value >= 0x80000000 else value
