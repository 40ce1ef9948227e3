"""Spectra behind a turned analyser and an edge filter, straight from the world's renderer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.rendered import SAMPLES, Calibrated, Mounted, SpectrumBench
from labctl.optics import ev_to_air_nm
from labctl.results import StoredSpectrum

__all__ = ["C5", "FilterTruth", "render_edge", "render_polarization"]

C5 = Mounted(SAMPLES / "cspbbr3_30nm.yaml", "C5")
_LINES_PER_MM = 1800.0
_SETTLE_S = 3600.0
_KINDS = {"exciton": "exciton", "biexciton": "multiexciton"}


@dataclass(frozen=True)
class FilterTruth:
    """What the world's dot really is.

    Attributes:
        angles_deg: Directions of the dipoles by rising energy of the exciton's lines.
        splitting_mev: ``((E2 - E1) + (E3 - E2)) / 2``.
        binding_mev: Of the biexciton.
        passed: By point, the share of the light of ``exciton`` and ``biexciton`` that the edge
            filter let pass: of each line, where it was at that time.
    """

    angles_deg: tuple[float, ...]
    splitting_mev: float
    binding_mev: float
    passed: tuple[Mapping[str, float], ...] = ()


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
    passed: list[Mapping[str, float]] = []
    for point, edge_nm in enumerate(edges_nm):
        bench.world.table.edge_filter_nm = edge_nm
        spectra.append(replace(_spectrum(bench, calibrated, point, frames), edge_nm=edge_nm))
        moved_mev = bench.walked_mev(frames, 1.0)
        passed.append({name: _passed(bench, kind, moved_mev) for name, kind in _KINDS.items()})
    return spectra, replace(_truth(bench), passed=tuple(passed))


def _bench(seed: int, mounted: Mounted, fluence_uj_cm2: float) -> tuple[SpectrumBench, Calibrated]:
    changes = {
        "laser": {"peak_fluence_uj_cm2": fluence_uj_cm2},
        "spectrograph": _spectrograph(seed),
    }
    bench = SpectrumBench(seed, changes, mounted, _LINES_PER_MM)
    calibrated = bench.calibrate()
    bench.thermal.set_target(4.0)
    bench.wait(_SETTLE_S)
    bench.spectrograph.centre_nm = 532.0
    return bench, calibrated


def _spectrograph(seed: int) -> Mapping[str, float]:
    """Draw one of the instruments of a data sheet, which differ as the world's own does from it.

    Distances between lines carry the error of the axis, which is nearly the same for all seeds if
    the spectrograph is.
    """
    focal_mm, inclusion_deg, tilt_deg = np.random.default_rng([seed, 8]).standard_normal(3)
    return {
        "focal_length_mm": 500.0 + 0.9 * focal_mm,
        "inclusion_deg": 17.2 + 0.06 * inclusion_deg,
        "detector_tilt_deg": 0.4 * tilt_deg,
    }


def _spectrum(
    bench: SpectrumBench, calibrated: Calibrated, point: int, frames: int
) -> StoredSpectrum:
    light = bench.frames(frames, 1.0, light=True)
    return replace(bench.stored(light, calibrated, point), live_time_s=float(frames))


def _passed(bench: SpectrumBench, kind: str, moved_mev: float) -> float:
    """Return the share of the light of a manifold's lines that the edge filter lets pass."""
    edge_nm, optics = bench.world.table.edge_filter_nm, bench.camera.optics()
    if edge_nm is None:
        return 1.0
    light, passed = 0.0, 0.0
    for band in _strongest(bench.world.truth()["bands"], kind):
        share = band["photons_per_pulse"] * optics.polarization_rel(band["dipole_deg"])
        place_nm = np.array([ev_to_air_nm(band["energy_ev"] + 1e-3 * moved_mev)])
        through = optics.transmission(place_nm, edge_nm) / optics.transmission(place_nm, None)
        light, passed = light + share, passed + share * float(through[0])
    return passed / light


def _strongest(bands: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Return the zero-phonon lines of a manifold by rising energy."""
    of_kind = sorted((b for b in bands if b["kind"] == kind), key=lambda b: -b["photons_per_pulse"])
    return sorted(of_kind[:3], key=lambda b: b["energy_ev"])


def _truth(bench: SpectrumBench) -> FilterTruth:
    bench.world.table.analyser_deg = bench.world.table.edge_filter_nm = None
    bands = bench.world.truth()["bands"]
    lines = {kind: _strongest(bands, kind) for kind in _KINDS.values()}
    exciton, biexciton = (
        np.array([b["energy_ev"] for b in lines[kind]]) for kind in ("exciton", "multiexciton")
    )
    return FilterTruth(
        tuple(b["dipole_deg"] for b in lines["exciton"]),
        1e3 * float(exciton[2] - exciton[0]) / 2,
        1e3 * float(exciton.mean() - biexciton.mean()),
    )
