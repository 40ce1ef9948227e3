"""The measurement ``irf``: the response of laser, grating, detector and module together."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import model_validator

from labctl.analysis import Irf, irf_to_record
from labctl.errors import ConfigError, Problem
from labctl.measurements._context import Context
from labctl.measurements._live_fit import irf_key
from labctl.measurements._measurement import Again
from labctl.measurements._photon_job import Job, Part
from labctl.measurements._trpl import Trpl, decay_arrays

__all__ = ["IrfMeasurement"]


class IrfMeasurement(Trpl):
    """Scattered laser light on one detector; kept as a calibration of this detector.

    ``center`` is the laser's wavelength if it is not given: at another one the spectrograph lets
    nothing through.
    """

    kind: ClassVar[str] = "irf"
    default_path: ClassVar[str] = "irf"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            stop: dict[str, Any],
            path: str | None = None,
            detectors: tuple[str, ...] | None = None,
            grating: str | None = None,
            center: str | None = None,
            bin: str | None = None,
            sync_divider: int = 1,
        ) -> None:
            """As in a recipe: ``stop={"counts": 200_000, "at_most": "60 s"}``."""

    @model_validator(mode="after")
    def _needs_delays(self) -> "IrfMeasurement":
        if self.mode != "t3":
            message = "an IRF is a histogram of delays; remove 'mode: t2'"
            raise ValueError(message)
        return self

    def armed(self, context: Context, job: Job) -> None:
        """Miss no response: this is it."""

    def once_more(self) -> Again:
        """Return that decays are fitted with the one that was taken."""
        return "never"

    def run(self, context: Context) -> None:
        """Take the scattered light, store the point, keep the calibration."""
        laser = context.table.laser
        if laser is None:
            what = "an IRF needs to know the laser"
            raise ConfigError([Problem(what, hint="write 'laser: {wavelength: …}' in the set-up")])
        tuned = self
        if self.center_nm is None and self._behind_spectrograph(context):
            tuned = self.model_copy(update={"center_nm": laser.wavelength_nm})
        job, parts, standing = tuned.take(context)
        detector = job.detectors[0]
        record = _record(context, job, parts, standing)
        context.calibrated("irf", irf_key(detector.name, standing["spectrograph"]), record)
        self.finish(context, job, parts, standing)


def _record(
    context: Context, job: Job, parts: Sequence[Part], standing: Mapping[str, Any]
) -> dict[str, Any]:
    counts = decay_arrays(context, job, parts)[0].values
    live_s = sum(part.live_s for part in parts)
    spectrograph = standing["spectrograph"]
    irf = Irf(
        bin_ps=job.tagger.delay_bin_ps(),
        counts=counts.astype(np.float64),
        detector=job.detectors[0].name,
        grating_per_mm=spectrograph.get("lines_per_mm"),
        wavelength_nm=spectrograph.get("wavelength_nm"),
        count_rate_hz=float(counts.sum()) / max(live_s, 1e-9),
        taken=context.clock.utc().isoformat(),
    )
    return {
        **irf_to_record(irf),
        "exit": spectrograph.get("exit"),
        "live_time_s": live_s,
        "calibrated_at": irf.taken,
    }
