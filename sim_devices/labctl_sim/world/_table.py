"""What stands on the optical table: laser, shutters, lamp, room light, filters."""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass

from labctl_sim.world._analyser import Analyser
from labctl_sim.world._interferometer import Interferometer


@dataclass(frozen=True)
class LaserTruth:
    """The excitation laser as it really is."""

    wavelength_nm: float = 405.0
    rep_rate_hz: float = 1e7
    spot_1e2_diameter_um: float = 2.4
    """2 w of the round spot with the same area: of an elliptic one the geometric mean."""
    spot_ratio: float = 1.0
    """Diameter along the stage's x over that along y."""
    peak_fluence_uj_cm2: float = 0.85
    """Peak fluence J0 = 2 E_pulse / (pi w^2), w half the spot diameter."""
    polarization_deg: float | None = None
    """Direction of its polarization in the collection path as it is said to be, counted from x;
    None: unpolarized."""
    polarization_off_deg: float = 0.2
    """How far the true direction lies from that (assumed)."""

    @property
    def direction_deg(self) -> float | None:
        """True direction of light that is sent back: a mirror and a metal surface keep it."""
        said_deg = self.polarization_deg
        return None if said_deg is None else said_deg + self.polarization_off_deg


class Timeline:
    """A value that is constant between changes; remembers all of them."""

    def __init__(self, start_s: float, value: float) -> None:
        """Begin with ``value`` at ``start_s``."""
        self._times_s = [start_s]
        self._values = [value]
        self._integrals = [0.0]

    def set(self, at_s: float, value: float) -> None:
        """Change to ``value`` at ``at_s`` (never before the last change)."""
        if value != self._values[-1]:
            self._integrals.append(self._integral_to(at_s))
            self._times_s.append(max(at_s, self._times_s[-1]))
            self._values.append(value)

    @property
    def last(self) -> float:
        """The value since the last change."""
        return self._values[-1]

    def mean(self, begin_s: float, end_s: float) -> float:
        """Mean value between two times; at ``begin_s`` if they are equal."""
        if end_s <= begin_s:
            return self._values[max(bisect.bisect_right(self._times_s, begin_s) - 1, 0)]
        return (self._integral_to(end_s) - self._integral_to(begin_s)) / (end_s - begin_s)

    def integral(self, begin_s: float, end_s: float) -> float:
        """Value times seconds between two times."""
        return self._integral_to(end_s) - self._integral_to(begin_s)

    def changes(self, begin_s: float, end_s: float) -> list[tuple[float, float]]:
        """Value at ``begin_s`` and each later one before ``end_s``, with the time it begins."""
        first = max(bisect.bisect_right(self._times_s, begin_s) - 1, 0)
        last = bisect.bisect_left(self._times_s, end_s)
        later = zip(self._times_s[first + 1 : last], self._values[first + 1 : last], strict=True)
        return [(begin_s, self._values[first]), *later]

    def _integral_to(self, at_s: float) -> float:
        index = max(bisect.bisect_right(self._times_s, at_s) - 1, 0)
        return self._integrals[index] + self._values[index] * (at_s - self._times_s[index])


class Table:
    """State of everything between the laser and the spectrograph.

    Changes of the excitation are remembered with their time, so that an exposure sees exactly
    the light of its own duration.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """All light off; ``now`` is the world's clock, s."""
        self._now = now
        self._laser_on = False
        self._shutter_open = False
        self.excitation = Timeline(now(), 0.0)
        """1 while laser light reaches the dot, else 0."""
        self.lamp: str | None = None
        """None, "neon", "mercury" or "argon"."""
        self.room_light_rel = 0.0
        """0 is dark, 1 the ceiling lights on."""
        self.led = Timeline(now(), 0.0)
        """Light of the LED for looking at the sample, 0 to 1 of its largest."""
        self.spread_um: float | None = None
        """1/e² diameter of the excitation with the lens for wide-field pictures in; None: out."""
        self.imaging_density: float | None = None
        """Of grey filters that stand in front of the imaging camera in the place of the
        long-pass filter; None: the long-pass filter stands there."""
        self.laser_line_leak_rel = 0.0
        """Share of the laser photons at the sample that reaches the spectrograph slit."""
        self.scatterer = False
        """A scatterer stands in the laser light in the place of the sample, and the long-pass
        filter is out; set it by `World.put_scatterer`."""
        self.scattered_per_pulse = 0.0
        """Photons that it would send into the collection optics with the attenuator open."""
        self._transmissions: dict[str, float] = {}
        self._collected: dict[str, float] = {}
        self._watchers: list[Callable[[], None]] = []
        self.before_change: Callable[[], None] = lambda: None
        """Called while the laser light is still as it was."""
        self.analyser_deg: float | None = None
        """Direction of polarization that an analyser in the collection path lets pass; None: not
        there."""
        self.fixed_output_polarization_deg: float | None = None
        """Direction in which light leaves the analyser, whatever it lets pass: a polarizer that
        stands still behind a turning half-wave plate. None: the direction that passes."""
        self.depolarised = False
        """A depolariser stands in front of slit and detectors."""
        self.edge_filter_nm: float | None = None
        """Edge of the tunable short-pass filter; None: out of the path."""
        self.interferometer: Interferometer | None = None
        """Before the detectors of photons; None: there is none."""
        self.field_kv_cm = 0.0
        """Electric field that the electrodes make at the dot."""

    @property
    def attenuation_rel(self) -> float:
        """Fluence at the dot against that of `LaserTruth`: the product of all that stands there."""
        return math.prod(self._transmissions.values())

    @attenuation_rel.setter
    def attenuation_rel(self, value: float) -> None:
        self.attenuate("", value)

    @property
    def collected_rel(self) -> float:
        """What filters in the collection path let pass."""
        return math.prod(self._collected.values())

    def spread(self, diameter_1e2_um: float | None) -> None:
        """Spread the excitation over a wide field of this diameter; None: the focused spot."""
        self.before_change()
        self.spread_um = diameter_1e2_um
        self.changed()

    def attenuate(self, part: str, transmission_rel: float) -> None:
        """Let a part of the excitation path pass so much, against what `LaserTruth` says."""
        self.before_change()
        self._transmissions[part] = transmission_rel
        self.changed()

    def dim(self, part: str, transmission_rel: float) -> None:
        """Let a part of the collection path pass so much of all light from the sample's place."""
        self._collected[part] = transmission_rel

    def transmission_rel(self, part: str) -> float:
        """What one part of the excitation path lets pass; 1 if it never said anything."""
        return self._transmissions.get(part, 1.0)

    def lit_rel(self, *, without: str = "") -> float:
        """Laser light now against `LaserTruth`; ``without`` names a part that is left out."""
        parts = (v for k, v in self._transmissions.items() if not without or k != without)
        return math.prod(parts) * float(self._laser_on and self._shutter_open)

    def watch(self, action: Callable[[], None]) -> None:
        """Call ``action`` after every change of the laser light."""
        self._watchers.append(action)

    def changed(self) -> None:
        """Tell whoever watches that the laser light is another one now."""
        for action in self._watchers:
            action()

    @property
    def laser_on(self) -> bool:
        """Whether the laser emits."""
        return self._laser_on

    @laser_on.setter
    def laser_on(self, value: bool) -> None:
        self._laser_on = value
        self._note()

    @property
    def shutter_open(self) -> bool:
        """Whether the excitation shutter is open."""
        return self._shutter_open

    @shutter_open.setter
    def shutter_open(self, value: bool) -> None:
        self._shutter_open = value
        self._note()

    @property
    def analyser(self) -> Analyser:
        """What selects the polarization in the collection path."""
        fixed_deg = self.fixed_output_polarization_deg
        return Analyser(self.analyser_deg, fixed_deg, self.depolarised)

    @property
    def ambient_rel(self) -> float:
        """Light besides the sample's that reaches every detector: of the room and of the LED."""
        return self.room_light_rel + self.led.last

    def _note(self) -> None:
        self.excitation.set(self._now(), float(self._laser_on and self._shutter_open))
        self.changed()
