"""The measurement ``irf``: the response of laser, grating, detector and module together."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import model_validator

from labctl.errors import ConfigError, Problem
from labctl.measurements._context import Context
from labctl.measurements._photon_job import Job, Part
from labctl.measurements._photon_measurement import irf_key
from labctl.measurements._trpl import Trpl, decay_arrays

__all__ = ["Irf"]


class Irf(Trpl):
    """Scattered laser light on one detector; kept as a calibration of this detector.

    ``center`` is the laser's wavelength if it is not given: at another one the spectrograph lets
    nothing through.
    """

    kind: ClassVar[str] = "irf"
    default_path: ClassVar[str] = "irf"

    @model_validator(mode="after")
    def _needs_delays(self) -> "Irf":
        if self.mode != "t3":
            message = "an IRF is a histogram of delays; remove 'mode: t2'"
            raise ValueError(message)
        return self

    def run(self, context: Context) -> None:
        """Take the scattered light, store the point, keep the calibration."""
        laser = context.table.laser
        if laser is None:
            what = "an IRF needs to know the laser"
            raise ConfigError([Problem(what, hint="write 'laser: {wavelength: …}' in the set-up")])
        tuned = self
        if self.center_nm is None and self._has_spectrograph(context):
            tuned = self.model_copy(update={"center_nm": laser.wavelength_nm})
        job, parts, standing = tuned.take(context)
        self.finish(context, job, parts, standing)
        detector = job.detectors[0]
        record = _record(context, job, parts, standing)
        context.calibrated("irf", irf_key(detector.name, standing["spectrograph"]), record)


def _record(
    context: Context, job: Job, parts: Sequence[Part], standing: Mapping[str, Any]
) -> dict[str, Any]:
    counts = decay_arrays(context, job, parts)[0].values
    live_s = sum(part.live_s for part in parts)
    filled = np.flatnonzero(counts)
    end = int(filled[-1]) + 1 if len(filled) else 0
    spectrograph = standing["spectrograph"]
    return {
        "counts": counts[:end].tolist(),
        "bins": len(counts),
        "bin_ps": job.tagger.delay_bin_ps(),
        "detector": job.detectors[0].name,
        "lines_per_mm": spectrograph.get("lines_per_mm"),
        "exit": spectrograph.get("exit"),
        "wavelength_nm": spectrograph.get("wavelength_nm"),
        "count_rate_hz": float(counts.sum()) / max(live_s, 1e-9),
        "live_time_s": live_s,
        "taken": context.clock.utc().isoformat(),
    }
