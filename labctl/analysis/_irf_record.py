"""The response of counting as a dated calibration: plain values that JSON keeps."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from labctl.analysis._irf import Irf

__all__ = ["irf_from_record", "irf_to_record"]

_OPTIONAL = ("grating_per_mm", "slit_um", "count_rate_hz", "wavelength_nm")


def irf_to_record(irf: Irf) -> dict[str, Any]:
    """Return plain values; empty bins at the end are only counted."""
    filled = np.flatnonzero(irf.counts)
    end = int(filled[-1]) + 1 if len(filled) else 0
    return {
        "counts": np.asarray(irf.counts[:end]).astype(np.int64).tolist(),
        "bins": len(irf.counts),
        "bin_ps": irf.bin_ps,
        "detector": irf.detector,
        "taken": irf.taken,
        **{name: getattr(irf, name) for name in _OPTIONAL},
    }


def irf_from_record(record: Mapping[str, Any]) -> Irf:
    """Return the response that `irf_to_record` wrote."""
    counts = np.zeros(int(record["bins"]), np.float64)
    counts[: len(record["counts"])] = record["counts"]
    return Irf(
        bin_ps=float(record["bin_ps"]),
        counts=counts,
        detector=record.get("detector"),
        taken=str(record.get("taken", "")),
        grating_per_mm=_known(record, "grating_per_mm"),
        slit_um=_known(record, "slit_um"),
        count_rate_hz=_known(record, "count_rate_hz"),
        wavelength_nm=_known(record, "wavelength_nm"),
    )


def _known(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get(name)
    return None if value is None else float(value)
