"""Command words of a SpectraPro: parameters come before the word, several words make a line."""

from collections.abc import Callable, Mapping
from typing import Any

from labctl_sim.princeton._spectrapro_drive import Drive, Motion
from labctl_sim.princeton._spectrapro_status import grating_list, stored_setup

_SLITS = ("SIDE-ENT-SLIT", "FRONT-ENT-SLIT", "SIDE-EXIT-SLIT", "FRONT-EXIT-SLIT")
_MIRRORS = ("EXIT-MIRROR", "ENT-MIRROR")


class NotUnderstoodError(Exception):
    """A word that the controller does not know, or that lacks its parameter."""


class NoMotorError(Exception):
    """A mirror or slit without a motor; ends the line with this text."""


class Vocabulary:
    """What each word says and does.

    Args:
        drive: What moves.
        truth: The simulator's truth.
        restart: Begins a restart of the controller and gives its duration as a motion.
        set_echo: Switches the echo.
    """

    def __init__(
        self,
        drive: Drive,
        truth: Mapping[str, Any],
        *,
        restart: Callable[[], Motion],
        set_echo: Callable[[bool], None],
    ) -> None:
        self._drive = drive
        self._truth = truth
        self._mirror = "EXIT-MIRROR"
        self._slit = "SIDE-ENT-SLIT"
        self._entrance = f"{str(truth['entrance_port']).upper()}-ENT-SLIT"
        self._asked = self._make_asked()
        self._plain: dict[str, Callable[[], Motion | None]] = {
            "ECHO": lambda: set_echo(True),
            "NO-ECHO": lambda: set_echo(False),
            "MONO-STOP": drive.stop,
            "MONO-RESET": restart,
            "HELLO": lambda: None,
            "FRONT": lambda: self._swing("front"),
            "SIDE": lambda: self._swing("side"),
            "SHOME": lambda: self._set_slit(10.0),
        }
        self._with_number = self._make_with_number()

    def speak(self, word: str, stack: list[float]) -> tuple[str, Motion | None]:
        """Carry out one word.

        Args:
            word: In capitals.
            stack: The numbers before it; the word takes its own from the end.

        Returns:
            What it prints, and the motion that must end before the line goes on.

        Raises:
            NotUnderstoodError: The word is unknown or a number is missing.
            NoMotorError: The mirror or slit cannot move.
        """
        if word in self._asked:
            return self._asked[word](), None
        if word in _MIRRORS or word in _SLITS:
            self._choose(word)
            return "", None
        if word in self._plain:
            return "", self._plain[word]()
        if word in self._with_number and stack:
            return "", self._with_number[word](stack.pop())
        raise NotUnderstoodError(word)

    def _make_asked(self) -> dict[str, Callable[[], str]]:
        drive, truth = self._drive, self._truth
        unit = "" if truth["unitless_nm"] else " nm"
        return {
            "?NM": lambda: f"{drive.position_nm():.3f}{unit}",
            "?NM/MIN": lambda: f"{drive.rate_nm_min:.3f} nm/min",
            "MONO-?DONE": lambda: "0" if drive.scanning() else "1",
            "?GRATING": lambda: str(drive.grating),
            "?GRATINGS": lambda: grating_list(drive),
            "?TURRET": lambda: str(drive.turret),
            "?MIRROR": self._mirror_position,
            "?MIR": lambda: "0" if self._mirror_position() == "front" else "1",
            "?MICRONS": self._slit_width,
            "MODEL": lambda: str(truth["model"]),
            "SERIAL": lambda: str(truth["serial_number"]),
            "MONO-EESTATUS": lambda: stored_setup(drive, str(truth["model"])),
        }

    def _make_with_number(self) -> dict[str, Callable[[float], Motion | None]]:
        drive = self._drive
        power_up = drive.power_up
        return {
            "GOTO": drive.go,
            "NM": drive.travel,
            ">NM": drive.scan,
            "NM/MIN": self._set_rate,
            "GRATING": lambda number: drive.select(int(number)),
            "TURRET": self._set_turret,
            "MICRONS": self._set_slit,
            "INIT-GRATING": lambda value: power_up.update(grating=value),
            "INIT-WAVELENGTH": lambda value: power_up.update(nm=value),
            "INIT-SRATE": lambda value: power_up.update(rate=value),
            "INIT-OFFSET": self._set_offset,
            "INIT-GADJUST": lambda _: None,
        }

    def _choose(self, word: str) -> None:
        """Choose which mirror or slit the next words mean; the choice persists."""
        if word in _MIRRORS:
            self._mirror = word
            motor = "exit_mirror_motor" if word == "EXIT-MIRROR" else "entrance_mirror_motor"
            movable = bool(self._truth[motor])
        else:
            self._slit = word
            movable = word == self._entrance and bool(self._truth["entrance_slit_motor"])
        if not movable:
            raise NoMotorError("no motor")

    def _mirror_position(self) -> str:
        self._choose(self._mirror)
        return self._drive.exit if self._mirror == "EXIT-MIRROR" else self._drive.entrance

    def _swing(self, port: str) -> Motion | None:
        self._choose(self._mirror)
        of_exit = self._mirror == "EXIT-MIRROR"
        return self._drive.swing_exit(port) if of_exit else self._drive.swing_entrance(port)

    def _slit_width(self) -> str:
        self._choose(self._slit)
        return f"{self._drive.slit_um:.0f} um"

    def _set_slit(self, width_um: float) -> Motion:
        self._choose(self._slit)
        return self._drive.set_slit(width_um)

    def _set_rate(self, rate_nm_min: float) -> None:
        if rate_nm_min > 0.0:
            self._drive.rate_nm_min = rate_nm_min

    def _set_turret(self, number: float) -> None:
        if number in {1.0, 2.0, 3.0}:
            self._drive.turret = int(number)

    def _set_offset(self, value: float) -> None:
        self._drive.offsets[self._drive.grating] = int(value)
