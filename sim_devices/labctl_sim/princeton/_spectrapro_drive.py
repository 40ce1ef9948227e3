"""Grating drive, turret, mirrors and slits of a SpectraPro: where they stand and how they move.

Times and limits: IsoPlane and SP-750i manuals, odemis and other public drivers; what they leave
open is assumed and a key of the truth.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from labctl_sim.world import World

_LARGEST_TURN_DEG = 40.0
_NOMINAL_HALF_ANGLE_DEG = 8.6
_START_UP_S = 0.1
_TICK_S = 0.1
_SLOTS = range(1, 10)
_SLOT = re.compile(r"(\d+(?:\.\d+)?)(?:\s*/\s*(\d+(?:\.\d+)?))?")
_PER_TURRET = 3


@dataclass(frozen=True)
class Grating:
    """A grating as installed; 0 lines per mm is a mirror."""

    lines_per_mm: float
    blaze_nm: float = 500.0

    def highest_nm(self) -> float:
        """Give the wavelength at the end of the drive's travel."""
        if self.lines_per_mm <= 0.0:
            return 0.0
        turn = math.sin(math.radians(_LARGEST_TURN_DEG))
        cosine = math.cos(math.radians(_NOMINAL_HALF_ANGLE_DEG))
        return round(2.0e6 / self.lines_per_mm * cosine * turn, 3)


@dataclass(frozen=True)
class Motion:
    """Something that takes time; ``arrive`` is done at its end."""

    duration_s: float
    arrive: Callable[[], None]


def gratings_from(settings: Mapping[str, Any], installed: str = "") -> dict[int, Grating]:
    """Give the gratings that are installed, by number.

    Args:
        settings: The instrument's settings; ``gratings`` has number to lines per mm, or to a block
            that may name the blaze; without it there are 300/mm and 1800/mm.
        installed: What is really there where the settings are wrong: slots from 1 on with commas
            between them, each ``300/500`` (lines per mm / blaze in nm), ``300``, ``mirror`` or
            ``none``. Empty: as the settings say.

    Raises:
        ValueError: A slot cannot be read, or there are more than nine.
    """
    return _declared(settings) if not installed.strip() else _installed(installed)


def _installed(text: str) -> dict[int, Grating]:
    slots = [slot.strip().lower() for slot in text.split(",")]
    if len(slots) > len(_SLOTS):
        raise ValueError(f"{len(slots)} gratings; there are {len(_SLOTS)} slots")
    return {
        number: _slot(slot) for number, slot in zip(_SLOTS, slots, strict=False) if slot != "none"
    }


def _slot(text: str) -> Grating:
    if text == "mirror":
        return Grating(0.0)
    found = _SLOT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no grating; write 300/500, 300, mirror or none")
    lines, blaze = found.groups()
    return Grating(float(lines), float(blaze)) if blaze else Grating(float(lines))


def _declared(settings: Mapping[str, Any]) -> dict[int, Grating]:
    given: Mapping[Any, Any] = settings.get("gratings") or {1: 300.0, 2: 1800.0}
    gratings: dict[int, Grating] = {}
    for number, entry in given.items():
        if isinstance(entry, Mapping):
            block = cast("Mapping[str, Any]", entry)
            blaze_nm = float(block.get("blaze_nm") or 500.0)
            gratings[int(number)] = Grating(float(block["lines_per_mm"]), blaze_nm)
        else:
            gratings[int(number)] = Grating(float(entry))
    return gratings


class Drive:
    """All that moves; the world's spectrograph follows when a motion has ended.

    Args:
        world: The world.
        gratings: What is installed.
        truth: The simulator's truth.
    """

    def __init__(
        self, world: World, gratings: Mapping[int, Grating], truth: Mapping[str, Any]
    ) -> None:
        self._world = world
        self._truth = truth
        self.gratings = dict(gratings)
        self.offsets = dict.fromkeys(_SLOTS, 0)
        start = int(truth["start_grating"]) or min(self.gratings)
        self.power_up: dict[str, float] = {"grating": float(start), "nm": 0.0, "rate": 100.0}
        self.slip_nm = 0.0
        self.lies = 0
        self.exit = "front"
        self.entrance = self._port = str(truth["entrance_port"])
        self.slit_um = float(truth["entrance_slit_um"])
        self.turret = 1
        self.grating = start
        self.rate_nm_min = 100.0
        self._position_nm = float(truth["start_wavelength_nm"])
        self._scan: tuple[float, float, float] | None = None
        self._cancel_tick: Callable[[], None] | None = None
        self._show()

    def position_nm(self) -> float:
        """Give the wavelength that the counter shows."""
        if self._scan is None:
            return self._position_nm
        began_s, from_nm, to_nm = self._scan
        gone_nm = (self._world.now() - began_s) * self.rate_nm_min / 60.0
        left_nm = max(abs(to_nm - from_nm) - gone_nm, 0.0)
        return to_nm - math.copysign(left_nm, to_nm - from_nm)

    def go(self, wavelength_nm: float) -> Motion:
        """Move at full speed, clamped silently to the travel."""
        return self._move(wavelength_nm, float(self._truth["goto_speed_nm_s"]), _START_UP_S)

    def travel(self, wavelength_nm: float) -> Motion:
        """Move at the scan rate."""
        return self._move(wavelength_nm, self.rate_nm_min / 60.0, 0.0)

    def scan(self, wavelength_nm: float) -> None:
        """Begin to move at the scan rate; the position can be asked meanwhile."""
        self.stop()
        target_nm = self._clamped(wavelength_nm)
        self._scan = (self._world.now(), self._position_nm, target_nm)
        self._tick()

    def scanning(self) -> bool:
        """Whether a scan is still under way."""
        return self._scan is not None and self.position_nm() != self._scan[2]

    def stop(self) -> None:
        """End a scan where it is."""
        if self._cancel_tick is not None:
            self._cancel_tick()
            self._cancel_tick = None
        self._position_nm = round(self.position_nm(), 3)
        self._scan = None
        self._show()

    def select(self, number: int) -> Motion | None:
        """Change the grating and keep the wavelength; an absent one is ignored."""
        if number not in self.gratings or not self.on_turret(number) or self._lied():
            return None
        self.stop()
        changes = number != self.grating

        def arrive() -> None:
            self.grating = number
            self._position_nm = self._clamped(self._position_nm)
            self._show()

        return Motion(float(self._truth["grating_change_s"]) if changes else 0.0, arrive)

    def on_turret(self, number: int) -> bool:
        """Whether this grating sits on the turret in use."""
        return (number - 1) // _PER_TURRET + 1 == self.turret

    def swing_exit(self, port: str) -> Motion:
        """Turn the exit mirror to ``front`` or ``side``."""
        moves = port != self.exit

        def arrive() -> None:
            self.exit = port
            self._show()

        return Motion(float(self._truth["mirror_s"]) if moves else 0.0, arrive)

    def swing_entrance(self, port: str) -> Motion:
        """Turn the entrance mirror to ``front`` or ``side``; light comes in by one of them."""
        moves = port != self.entrance

        def arrive() -> None:
            self.entrance = port
            self._show()

        return Motion(float(self._truth["mirror_s"]) if moves else 0.0, arrive)

    def set_slit(self, width_um: float) -> Motion:
        """Open the entrance slit, in steps of 5 um between 5 and 3000 um."""
        wanted_um = min(max(5.0 * round(width_um / 5.0), 5.0), 3000.0)

        def arrive() -> None:
            self.slit_um = wanted_um
            self._show()

        return Motion(float(self._truth["slit_s"]), arrive)

    def slip(self, offset_nm: float) -> None:
        """Lose steps: the true position is off from now on, the counter does not know."""
        self.slip_nm = offset_nm
        self._show()

    def restart(self) -> None:
        """Take the stored power-up values, homed."""
        self.stop()
        self.turret = 1
        stored = int(self.power_up["grating"])
        self.grating = stored if stored in self.gratings else min(self.gratings)
        self.rate_nm_min = self.power_up["rate"]
        self.slip_nm = 0.0
        self._position_nm = self._clamped(self.power_up["nm"])
        self._show()

    def _move(self, wavelength_nm: float, speed_nm_s: float, extra_s: float) -> Motion:
        self.stop()
        target_nm = self._clamped(wavelength_nm)
        if self._lied():
            target_nm = self._position_nm
        distance_nm = abs(target_nm - self._position_nm)

        def arrive() -> None:
            self._position_nm = target_nm
            self._show()

        return Motion(distance_nm / speed_nm_s + extra_s, arrive)

    def _clamped(self, wavelength_nm: float) -> float:
        highest_nm = self.gratings[self.grating].highest_nm()
        return round(min(max(wavelength_nm, 0.0), highest_nm), 3)

    def _lied(self) -> bool:
        self.lies, lied = max(0, self.lies - 1), self.lies > 0
        return lied

    def _tick(self) -> None:
        self._show()
        going = self.scanning()
        self._cancel_tick = self._world.after(_TICK_S, self._tick) if going else None

    def _show(self) -> None:
        """Let the world see where everything stands."""
        state = self._world.spectrograph
        grating = self.gratings[self.grating]
        offset_nm = float(self._truth["wavelength_offset_nm"]) + self.slip_nm
        state.lines_per_mm = grating.lines_per_mm
        state.blaze_nm = grating.blaze_nm
        state.centre_nm = self.position_nm() + offset_nm
        # Turned to the other entrance, the mirror sends none of the light on.
        state.entrance_slit_um = self.slit_um if self.entrance == self._port else 0.0
        state.exit = self.exit
