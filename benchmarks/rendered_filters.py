"""Spectra behind a turned analyser and an edge filter, straight from the world's renderer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.rendered import SAMPLES, Calibrated, Mounted, SpectrumBench
from labctl.results import StoredSpectrum

__all__ = ["C5", "FilterTruth", "render_edge", "render_polarization"]

C5 = Mounted(SAMPLES / "cspbbr3_30nm.yaml", "C5")
_LINES_PER_MM = 1800.0
_SETTLE_S = 3600.0


@dataclass(frozen=True)
class FilterTruth:
    """What the world's dot really is.

    Attributes:
        angles_deg: Directions of the dipoles by rising energy of the exciton's lines.
        splitting_mev: ``((E2 - E1) + (E3 - E2)) / 2``.
        binding_mev: Of the biexciton.
    """

    angles_deg: tuple[float, ...]
    splitting_mev: float
    binding_mev: float


def render_polarization(
    seed: int,
    angles_deg: Sequence[float],
    *,
    frames: int = 5,
    mounted: Mounted = C5,
    fluence_uj_cm2: float = 1.5,
) -> tuple[list[StoredSpectrum], FilterTruth]:
    """Take a spectrum at each angle of an analyser whose output is fixed."""
    bench, calibrated = _bench(seed, mounted, fluence_uj_cm2)
    spectra: list[StoredSpectrum] = []
    for point, angle_deg in enumerate(angles_deg):
        bench.world.table.analyser_deg = angle_deg
        bench.world.table.fixed_output_polarization_deg = 90.0
        spectrum = _spectrum(bench, calibrated, point, frames)
        spectra.append(
            replace(spectrum, analyser_deg=angle_deg, polarization_remedy="fixed output")
        )
    return spectra, _truth(bench)


def render_edge(
    seed: int, edges_nm: Sequence[float | None], *, frames: int = 20, fluence_uj_cm2: float = 0.85
) -> tuple[list[StoredSpectrum], FilterTruth]:
    """Take a spectrum behind the edge filter at each edge; None: without it."""
    bench, calibrated = _bench(seed, C5, fluence_uj_cm2)
    spectra: list[StoredSpectrum] = []
    for point, edge_nm in enumerate(edges_nm):
        bench.world.table.edge_filter_nm = edge_nm
        spectra.append(replace(_spectrum(bench, calibrated, point, frames), edge_nm=edge_nm))
    return spectra, _truth(bench)


def _bench(seed: int, mounted: Mounted, fluence_uj_cm2: float) -> tuple[SpectrumBench, Calibrated]:
    changes = {"laser": {"peak_fluence_uj_cm2": fluence_uj_cm2}}
    bench = SpectrumBench(seed, changes, mounted, _LINES_PER_MM)
    calibrated = bench.calibrate()
    bench.thermal.set_target(4.0)
    bench.wait(_SETTLE_S)
    bench.spectrograph.centre_nm = 532.0
    return bench, calibrated


def _spectrum(
    bench: SpectrumBench, calibrated: Calibrated, point: int, frames: int
) -> StoredSpectrum:
    light = bench.frames(frames, 1.0, light=True)
    return replace(bench.stored(light, calibrated, point), live_time_s=float(frames))


def _truth(bench: SpectrumBench) -> FilterTruth:
    bench.world.table.analyser_deg = bench.world.table.edge_filter_nm = None
    bands = bench.world.truth()["bands"]
    lines = {
        kind: sorted(
            sorted((b for b in bands if b["kind"] == kind), key=lambda b: -b["photons_per_pulse"])[
                :3
            ],
            key=lambda b: b["energy_ev"],
        )
        for kind in ("exciton", "multiexciton")
    }
    exciton, biexciton = (
        np.array([b["energy_ev"] for b in lines[kind]]) for kind in ("exciton", "multiexciton")
    )
    return FilterTruth(
        tuple(b["dipole_deg"] for b in lines["exciton"]),
        1e3 * float(exciton[2] - exciton[0]) / 2,
        1e3 * float(exciton.mean() - biexciton.mean()),
    )
