"""The calibration ``power``: light on the sample against the marks of the attenuator."""

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.errors import AnalysisError, RefusedError
from labctl.measurements._context import Array, Context
from labctl.measurements._exposure import excitation
from labctl.measurements._measurement import Measurement
from labctl.optics import PowerCurve
from labctl.roles import Attenuator, PowerMeter
from labctl.units import Seconds

__all__ = ["CalibratePower"]

_MOVE_S = 2.0
_MOVE_TIMEOUT_S = 600.0
_SEEN_SIGMAS = 10.0
_FEWEST = 3

Vector = NDArray[np.float64]


class CalibratePower(Measurement):
    """Powers on the sample at marks of the attenuator, read by the power meter.

    The meter is set to the laser's wavelength and zeroed in the dark first. What the pick-off
    sends to the meter, and how far meter and pick-off can be trusted, stands in the set-up.

    Attributes:
        marks: Number of marks, evenly spaced in optical density.
        least: Smallest transmission; marks at which the meter sees too little are left out.
        readings: Readings at each mark.
        settle_s: Time that the meter needs after each change of the light, s.
    """

    kind: ClassVar[str] = "calibrate_power"
    needs: ClassVar[tuple[str, ...]] = ("attenuator", "power_meter", "shutter")

    marks: int = Field(9, ge=_FEWEST, le=1000)
    least: float = Field(1e-3, gt=0, lt=1)
    readings: int = Field(5, ge=2, le=1000)
    settle_s: Seconds = Field(3.0, gt=0)

    if TYPE_CHECKING:

        def __init__(
            self, *, marks: int = 9, least: float = 1e-3, readings: int = 5, settle: str = "3 s"
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``settle="3 s"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return 2.0 * self.settle_s + self.marks * (_MOVE_S + self.settle_s)

    def run(self, context: Context) -> None:
        """Read the meter at each mark, keep the curve.

        Raises:
            RefusedError: The set-up does not say what the laser is.
            AnalysisError: The meter sees the light at too few marks.
        """
        attenuator = context.station.only(Attenuator, prefer="attenuator")
        meter = context.station.only(PowerMeter, prefer="power_meter")
        laser = context.table.laser
        if laser is None:
            raise RefusedError(self.kind, "the wavelength of the laser is not known")
        meter.set_wavelength_nm(laser.wavelength_nm)
        self._zero(context, meter)
        stood = attenuator.read_transmission()
        marks = np.geomspace(self.least, 1.0, self.marks)
        readings_w = np.array([self._readings(context, attenuator, meter, m) for m in marks])
        self._place(context, attenuator, stood)
        curve = replace(_curve(marks, readings_w, meter), rep_rate_hz=laser.rep_rate_hz)
        stamp = context.clock.utc().isoformat()
        result = {**asdict(curve), "meter": meter.name, "calibrated_at": stamp}
        context.calibrated("power", attenuator.name, result)
        context.store(
            [
                Array("transmission", marks, "", ("mark",)),
                Array("sensor_power", readings_w, "W", ("mark", "reading")),
            ],
            settings={"power_meter": {"wavelength_nm": meter.read_wavelength_nm()}},
            live_time_s=float(readings_w.size),
            brief=f"{curve.powers_w[-1]:.4g} W on the sample fully open, "
            f"± {100 * curve.error_rel:.1f} %",
        )

    def _zero(self, context: Context, meter: PowerMeter) -> None:
        """Take the reading in the dark for nothing; the shutter is closed between measurements."""
        context.wait(self.settle_s, what=f"{meter.name} to see the dark")
        meter.start_zero()
        context.wait_until(
            lambda: not meter.is_zeroing(),
            timeout_s=meter.zero_timeout_s,
            what=f"{meter.name} to be zeroed",
        )

    def _place(self, context: Context, attenuator: Attenuator, mark: float) -> None:
        attenuator.start_transmission(mark)
        context.wait_until(
            attenuator.fluence_arrived,
            timeout_s=_MOVE_TIMEOUT_S,
            what=f"{attenuator.name} transmission {mark:.4g}",
        )

    def _readings(
        self, context: Context, attenuator: Attenuator, meter: PowerMeter, mark: float
    ) -> list[float]:
        self._place(context, attenuator, mark)
        with excitation(context, wanted=True):
            context.wait(self.settle_s, what=f"{meter.name} to settle")
            found: list[float] = []
            for _ in range(self.readings):
                found.append(meter.read_power())
                context.wait(0.1, what=f"{meter.name} to read again")
        return found


def _curve(marks: Vector, readings_w: Vector, meter: PowerMeter) -> PowerCurve:
    """Return marks and powers on the sample where the meter sees the light well."""
    mean_w = readings_w.mean(axis=1)
    error_w = readings_w.std(axis=1, ddof=1) / math.sqrt(readings_w.shape[1])
    seen = mean_w > _SEEN_SIGMAS * np.maximum(error_w, np.median(error_w))
    # The weaker marks are in order of power only if the noise lets them be.
    first = int(np.argmax(seen)) if seen.any() else marks.size
    used = slice(first, marks.size)
    if marks.size - first < _FEWEST or not np.all(np.diff(mean_w[used]) > 0):
        message = (
            f"{meter.name} sees the light well at {int(seen.sum())} of {marks.size} marks; is the "
            "laser on and the beam on the sensor? begin at a larger transmission ('least: …')"
        )
        raise AnalysisError(message)
    trust = meter.trust
    statistical = float(np.max(error_w[used] / mean_w[used]))
    return PowerCurve(
        tuple(marks[used].tolist()),
        tuple((mean_w[used] * trust.to_sample).tolist()),
        math.hypot(trust.accuracy_rel, trust.to_sample_rel, statistical),
    )
