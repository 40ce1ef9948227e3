"""The measurement ``recenter``: brings a dot that has drifted away back into the focus."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from labctl.analysis import DriftTable
from labctl.errors import RefusedError
from labctl.measurements._climb import Climb, Peak, climb_or_search
from labctl.measurements._context import Array, Context
from labctl.measurements._count_rate import RateMeter, rate_meter
from labctl.measurements._dispersion import tune
from labctl.measurements._measurement import Again, Measurement
from labctl.measurements._paths import take_path
from labctl.measurements._places import Places
from labctl.measurements._recenter_identity import (
    RECENTER,
    Seen,
    Tolerances,
    check_identity,
    line_energy_ev,
)
from labctl.measurements._recenter_image import eye_of
from labctl.measurements._settings import laser_settings, present_fluence_uj_cm2
from labctl.roles import Cryostat, PhotonCounter, Positioner, Spectrograph
from labctl.units import ElectronVolts, Micrometers, Seconds

__all__ = ["Recenter"]

DRIFT = "thermal_drift"
"""Name of the calibration that holds the learned drift."""
_ORIGIN = "recenter_origin_{}_um"
_DEPTH_UM = 0.8
"""About how far out of focus most light is lost; fits begin with it."""
_SPOT_SDS = 8.0
"""Diameter of the spot at 1/e² over the width of the counts: excitation times collection."""
_AXES = ("x", "y", "z")
_TIME_S = 120.0


class Recenter(Measurement):
    """Goes where the dot should be, climbs to the maximum of its counts, and checks that it is it.

    Where the dot should be is known from the drift that was met at other temperatures; the table
    of it is learned as the calibration ``thermal_drift``. An imaging camera of known scale then
    finds the focus and moves the sample until it looks as it did the first time in the run. That
    time tells which dot it is; each later time it must be as bright, and its line lie, as the last
    time says.

    Attributes:
        path: Light path for counting; None: ``apd``, if the set-up has it.
        detector: Name of the detector; None: the first of the set-up.
        readings: Readings of the rate meter, 0.1 s each, at every place.
        points: Places in a scan of one axis.
        search_um: How far from where it should be the dot may be, in x and y, um.
        depth_um: How far it may be out of focus, um.
        focus_um: How far the picture may be out of focus either way, um.
        reach_um: How far the picture may have moved in x and y, um.
        picture_exposure_s: Exposure of a picture, s.
        level: Brightness of the LED, above 0 up to 1.
        dimmest: Least share of the last brightness.
        brightest: Largest share of the last brightness.
        exposure_s: Exposure of the spectrum that tells the line's energy; s.
        energy_tolerance_ev: How far the line may lie from where it should, eV.
        shift_mev_per_k: Shift of the line with temperature, meV/K; that of CsPbBr3 is assumed.
    """

    kind: ClassVar[str] = RECENTER
    needs: ClassVar[tuple[str, ...]] = ("positioner", "photon_counter", "shutter", "cryostat")

    path: str | None = None
    detector: str | None = None
    readings: int = Field(2, ge=1, le=1000)
    points: int = Field(7, ge=5, le=100)
    search_um: Micrometers = Field(2.25, gt=0)
    depth_um: Micrometers = Field(3.0, gt=0)
    focus_um: Micrometers = Field(8.0, gt=0)
    reach_um: Micrometers = Field(8.0, gt=0)
    picture_exposure_s: Seconds = Field(0.2, gt=0)
    level: float = Field(0.8, gt=0, le=1)
    dimmest: float = Field(0.3, gt=0, lt=1)
    brightest: float = Field(3.0, gt=1)
    exposure_s: Seconds = Field(1.0, gt=0)
    energy_tolerance_ev: ElectronVolts = Field(0.005, gt=0)
    shift_mev_per_k: float = 0.3

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            path: str | None = None,
            detector: str | None = None,
            readings: int = 2,
            points: int = 7,
            search: str = "2.25 um",
            depth: str = "3 um",
            focus: str = "8 um",
            reach: str = "8 um",
            picture_exposure: str = "200 ms",
            level: float = 0.8,
            dimmest: float = 0.3,
            brightest: float = 3.0,
            exposure: str = "1 s",
            energy_tolerance: str = "5 meV",
            shift_mev_per_k: float = 0.3,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``depth="3 um"``."""

    def once_more(self) -> Again:
        """Return that a run which is taken up again has to find the place anew."""
        return "prepare"

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return _TIME_S + self.exposure_s

    def run(self, context: Context) -> None:
        """Predict, climb, check, learn, store the point.

        Raises:
            RefusedError: No dot is there, two could be it, or the one there is another one; says
                what was seen.
        """
        places = Places(context, context.station.only(Positioner, prefer="stage"))
        drift = _Drift.of(context, places.stage.name, _temperature_k(context))
        detector = self._detector(context)
        if drift.known:
            places.go(drift.expected_um(places.axes))
        predicted_um = places.read()
        eye = eye_of(context, places, self.picture_exposure_s, self.level)
        matched = None
        if eye is not None and eye.knows_the_place:
            matched = eye.bring_back(self.focus_um, self.reach_um)
        expected_um = places.read()
        path = take_path(context, self.path, "apd", [detector.name])
        _let_all_colours_in(context, path)
        with rate_meter(context, detector, self.readings) as meter:
            climb = Climb(places, meter, self.points, _widths_um(context))
            peak = climb_or_search(climb, self.search_um, self.depth_um)
        last = Seen.recall(context)
        seen = Seen(
            temperature_k=drift.temperature_k,
            rate_hz=(peak.counts - meter.dark) / meter.counting_s,
            fluence_uj_cm2=present_fluence_uj_cm2(context),
            energy_ev=line_energy_ev(context, self.exposure_s),
        )
        self._check_place(places, peak, expected_um)
        doubts = check_identity(seen, last, self._tolerances())
        for text in doubts:
            context.message("warning", self.kind, text)
        seen.remember(context)
        if eye is not None and not eye.knows_the_place:
            eye.keep_the_place()
        found: dict[str, Any] = {
            **asdict(seen),
            "place_um": peak.place_um,
            "place_error_um": {axis: fit.place_um.error for axis, fit in peak.fits.items()},
            "displacement_um": drift.learn(context, peak.place_um),
            "residual_um": _off(peak.place_um, predicted_um),
            "picture": None if matched is None else asdict(matched),
            "dose_uj_cm2": meter.dose_uj_cm2(),
        }
        context.found("recentred", found)
        self._store(context, meter, peak, found, path)

    def _tolerances(self) -> Tolerances:
        return Tolerances(
            self.dimmest, self.brightest, self.energy_tolerance_ev, self.shift_mev_per_k
        )

    def _check_place(self, places: Places, peak: Peak, expected_um: Mapping[str, float]) -> None:
        off_um = _off(peak.place_um, expected_um)
        lateral_um = math.hypot(off_um.get("x", 0.0), off_um.get("y", 0.0))
        if lateral_um > self.search_um:
            what = f"the brightest place is {lateral_um:.2f} um from where the dot should be"
            raise RefusedError(self.kind, what, f"allowed: {self.search_um:g} um")
        focus_um = abs(off_um.get("z", 0.0))
        if focus_um > self.depth_um:
            what = f"the brightest place is {focus_um:.2f} um out of the expected focus"
            raise RefusedError(self.kind, what, f"allowed: {self.depth_um:g} um")

    def _detector(self, context: Context) -> PhotonCounter:
        station = context.station
        if self.detector is not None:
            return station.get(self.detector, PhotonCounter)
        return next(found for name in station if isinstance(found := station[name], PhotonCounter))

    def _store(
        self,
        context: Context,
        meter: RateMeter,
        peak: Peak,
        found: Mapping[str, Any],
        path: Mapping[str, Any],
    ) -> None:
        axes = list(peak.scans)
        context.store(
            [
                Array("counts", np.array([peak.scans[a] for a in axes]), "counts", ("axis", "n")),
                Array("place", np.array([peak.places[a] for a in axes]), "um", ("axis", "n")),
            ],
            settings={
                "path": path,
                "laser": laser_settings(context),
                "recentred": {**found, "axes": axes, "dark_counts": meter.dark},
            },
            live_time_s=meter.counting_s,
            brief=f"moved by {_said(found['displacement_um'])} um, "
            f"{_said(found['residual_um'])} um off, {found['rate_hz']:.4g} Hz",
        )


@dataclass(frozen=True)
class _Drift:
    """Where the dot should be at a temperature, as far as that has been learned.

    Attributes:
        table: What has been learned, against an origin of its own.
        key: Name of the stage.
        temperature_k: Of the sample now, K.
        origin_um: Where the table's origin is on the stage in this run; empty: not known yet.
    """

    table: DriftTable
    key: str
    temperature_k: float
    origin_um: Mapping[str, float]

    @staticmethod
    def of(context: Context, key: str, temperature_k: float) -> "_Drift":
        """Recall what is known."""
        record = context.calibrations.get(DRIFT, {}).get(key)
        table = DriftTable() if record is None else DriftTable.from_record(record)
        kept = {axis: context.remembered(_ORIGIN.format(axis)) for axis in _AXES}
        origin_um = {axis: um for axis, um in kept.items() if um is not None}
        return _Drift(table, key, temperature_k, origin_um)

    @property
    def known(self) -> bool:
        """Whether the dot has been seen before in this run."""
        return bool(self.origin_um)

    def expected_um(self, axes: tuple[str, ...]) -> dict[str, float]:
        """Return where the dot should be, um by axis."""
        moved_um = self._moved_um()
        return {axis: self.origin_um[axis] + moved_um[axis] for axis in axes}

    def learn(self, context: Context, place_um: Mapping[str, float]) -> dict[str, float]:
        """Keep where the dot is; returns its displacement against the table's origin, um.

        The first time in a run tells where the origin is.
        """
        origin_um = self.origin_um
        if not origin_um:
            before_um = self._moved_um()
            origin_um = {axis: um - before_um[axis] for axis, um in place_um.items()}
            for axis, um in origin_um.items():
                context.remember(_ORIGIN.format(axis), um)
        moved_um = {axis: um - origin_um[axis] for axis, um in place_um.items()}
        entry = np.array([moved_um.get(axis, 0.0) for axis in _AXES])
        stamp = {"calibrated_at": context.clock.utc().isoformat()}
        record = self.table.learn(self.temperature_k, entry).to_record()
        context.calibrated(DRIFT, self.key, {**record, **stamp})
        return moved_um

    def _moved_um(self) -> dict[str, float]:
        moved = self.table.at(self.temperature_k)
        return {axis: float(um) for axis, um in zip(_AXES, moved, strict=True)}


def _temperature_k(context: Context) -> float:
    return context.station.only(Cryostat, prefer="cryostat").read_temperature()


def _widths_um(context: Context) -> dict[str, float]:
    """Return about how wide the counts' maximum is along each axis, um."""
    laser = context.table.laser
    lateral_um = (2.4 if laser is None else laser.spot_1e2_diameter_um) / _SPOT_SDS
    return {"x": lateral_um, "y": lateral_um, "z": _DEPTH_UM}


def _let_all_colours_in(context: Context, path: Mapping[str, Any]) -> None:
    """Put a mirror in the place of the grating, if the spectrograph of the path has one.

    The line moves with temperature, and no exit slit shall cut it away.
    """
    station = context.station
    found = [one for name in station if isinstance(one := station[name], Spectrograph)]
    for spectrograph in found:
        lines = {grating.lines_per_mm for grating in spectrograph.gratings().values()}
        if 0.0 in lines and any(part.split(".")[0] == spectrograph.name for part in path):
            tune(context, spectrograph, 0.0, None)


def _off(place_um: Mapping[str, float], expected_um: Mapping[str, float]) -> dict[str, float]:
    return {axis: um - expected_um[axis] for axis, um in place_um.items()}


def _said(um: Mapping[str, float]) -> str:
    return ", ".join(f"{value:+.2f}" for value in um.values())
