"""E02, E04, E06 and E20 over the wire, on the shipped set-up: lifetimes within four sigma."""

import math
from pathlib import Path

from labctl.host import LocalHost, RunRequest
from labctl.results import ExperimentResult, analyze
from labctl.storage import read_run
from small_setup import ROOT

CONFIGS = ROOT / "configs"
SAMPLE = CONFIGS / "samples" / "cspbbr3_23nm.yaml"
BOLTZMANN_MEV_PER_K = 0.08617333262
TAU_0_PS, STRENGTH, ACTIVATION_MEV = 100.0, 28.7, 9.0


def results_of(
    folder: Path, recipe: str, sample: Path | None = None
) -> dict[str, ExperimentResult]:
    """Run a recipe on the shipped set-up and return its results by quantity."""
    path = folder / "recipe.yaml"
    path.write_text(recipe, "utf-8")
    request = RunRequest(
        setup=CONFIGS / "setups" / "microscope.yaml",
        recipe=path,
        simulate=True,
        seed=0,
        sample=sample,
        out=folder / "data",
    )
    report = LocalHost().run(request)
    assert report.outcome.status == "complete", report.outcome.reason
    return {result.quantity: result for result in analyze(read_run(report.journal))}


def recipe(name: str, *changes: tuple[str, str]) -> str:
    """Return a shipped recipe with some words replaced, all of which must stand in it."""
    text = (CONFIGS / "recipes" / name).read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_decay_over_the_wire_covers_the_truth(tmp_path: Path) -> None:
    found = results_of(tmp_path, recipe("trpl.yaml"))
    lifetime = found["lifetime"]
    assert lifetime.experiment == "E02"
    assert lifetime.measured.covers(TAU_0_PS, 4.0)
    assert lifetime.standard_error < 2.0
    # The response is brought to the line's wavelength, and nothing is left to warn of.
    assert lifetime.warnings == ()
    # 0.09 excitations per pulse at 0.17 uJ/cm^2 make the fall a little longer than the lifetime.
    assert found["one_over_e"].measured.covers(105.8, 4.0)


def test_the_lifetime_follows_the_sample(tmp_path: Path) -> None:
    """Of the one dot that shines the lifetime is changed in a sample file; nothing else."""
    before = "    lifetime: 100 ps\n"
    text = SAMPLE.read_text("utf-8")
    assert text.count(before) == 1
    other = tmp_path / "sample.yaml"
    other.write_text(text.replace(before, "    lifetime: 260 ps\n"), "utf-8")
    found = results_of(tmp_path, recipe("trpl.yaml"), other)
    assert found["lifetime"].measured.covers(260.0, 4.0)
    assert found["lifetime"].standard_error < 5.0


def test_a_fluence_series_over_the_wire_is_flat(tmp_path: Path) -> None:
    few = ("num: 8", "num: 4"), ("counts: 50000", "counts: 30000")
    found = results_of(tmp_path, recipe("fluence_series.yaml", *few))
    assert {one.experiment for one in found.values()} >= {"E06"}
    assert found["lifetime_at_zero"].measured.covers(TAU_0_PS, 4.0)
    # Heating by 4 K at the top changes 100 ps by 0.01 ps.
    assert found["slope"].measured.covers(0.0, 4.0)
    assert found["slope"].standard_error < 0.5


def test_a_temperature_series_over_the_wire_covers_the_truth(tmp_path: Path) -> None:
    text = """
name: decays at three temperatures
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - irf: {grating: 300/mm, stop: {counts: 300000, at_most: 60 s}}
  - scan: cryostat.temperature
    values: [4, 45, 90]   # K
    settle: {tolerance: 50 mK, std: 50 mK, for: 15 min, timeout: 60 min, on_timeout: skip}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2}
      - trpl: {at_peak: true, stop: {counts: 30000, at_most: 60 s}}
"""
    found = results_of(tmp_path, text)
    warm = math.exp(-ACTIVATION_MEV / (BOLTZMANN_MEV_PER_K * 90.0))
    truths = {
        "lifetime_coldest": TAU_0_PS,
        "lifetime_warmest": TAU_0_PS * (1.0 + STRENGTH * warm),
        "activation_energy": ACTIVATION_MEV,
        "lifetime_0": TAU_0_PS,
        "lifetime_g": STRENGTH,
    }
    for name, truth in truths.items():
        assert found[name].experiment == "E04"
        assert found[name].measured.covers(truth, 4.0), (name, found[name].measured)
    assert found["activation_energy"].standard_error < 1.0


def test_resolved_decays_over_the_wire_tell_the_coupled_band(tmp_path: Path) -> None:
    few = ("[520.3, 527.5, 529.2, 531]", "[520.3, 529.2]"), ("counts: 40000", "counts: 20000")
    sample = CONFIGS / "samples" / "cspbbr3_superlattice.yaml"
    found = results_of(tmp_path, recipe("resolved_decays.yaml", *few), sample)
    assert {one.experiment for one in found.values()} == {"E20"}
    band, exciton = (found[f"lifetime_at_{ev}_ev"].measured for ev in ("2.342", "2.382"))
    assert exciton.covers(450.0, 4.0)
    assert band.covers(0.4 * 450.0, 4.0)
