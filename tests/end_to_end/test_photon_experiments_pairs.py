"""E10, E11, E12, E16, E20: the shipped recipes, shortened, from the wire to the analysed file.

The seed is 0; a value may be 4 standard errors from the world's truth, so that a right analysis
fails once in 16 000 quantities.
"""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.rendered_pairs import bunching_truth, pair_truth
from labctl.analysis import Measured, auger_g2, cascade_statistics
from labctl.host import RunRequest
from labctl.results import analyze
from labctl.storage import RecordKind
from live_bench import LiveRun, run_live
from small_setup import ROOT

CONFIGS = ROOT / "configs"
SIGMAS = 4.0


def carried_out(folder: Path, recipe: str, setup: str, sample: str = "", **words: str) -> LiveRun:
    """Run a shipped recipe with some words changed."""
    mounted = CONFIGS / "samples" / f"{sample}.yaml" if sample else None
    return run_recipe(folder, changed(folder, recipe, **words), setup, mounted)


def changed(folder: Path, recipe: str, **words: str) -> Path:
    """Write a shipped recipe with some words changed."""
    text = (CONFIGS / "recipes" / f"{recipe}.yaml").read_text("utf-8")
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "recipe.yaml"
    path.write_text(text, "utf-8")
    return path


def run_recipe(folder: Path, path: Path, setup: str, sample: Path | None) -> LiveRun:
    """Run a recipe with a shipped set-up."""
    request = RunRequest(
        setup=CONFIGS / "setups" / f"{setup}.yaml",
        recipe=path,
        simulate=True,
        sample=sample,
        seed=0,
        out=folder / "data",
    )
    live = run_live(request, lambda _event, _live: None)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    return live


def found(live: LiveRun, experiment: str) -> dict[tuple[str, int | None], Measured]:
    results = [one for one in analyze(live.run) if one.experiment == experiment]
    return {(one.quantity, one.point): one.measured for one in results}


def assert_true(measured: Measured, truth: float, largest_error: float) -> None:
    assert 0 < measured.error < largest_error
    assert abs(measured.value - truth) < SIGMAS * measured.error, (measured, truth)


def test_e10_all_light_is_poissonian_and_the_exciton_alone_is_not(tmp_path: Path) -> None:
    live = carried_out(tmp_path, "g2", "microscope", "cspbbr3_30nm", **{"30 s": "10 s"})
    zeros = found(live, "E10")
    points = [place for name, place in zeros if name == "g2_zero"]
    exciton, every = (zeros["g2_zero", place] for place in points)
    world = live.rig.world
    state = world.spectrograph
    stored = [record.data for record in live.records(RecordKind.POINT)]
    (nm,) = (
        data["settings"]["spectrograph"]["wavelength_nm"]
        for data in stored
        if data["label"] == "exciton"
    )
    # The run ends at the mirror, whose truth is that of all light.
    state.exit = "side"
    assert state.lines_per_mm == 0.0
    assert_true(every, pair_truth(world, "tagger").g2_zero, 0.12)
    assert pair_truth(world, "tagger").g2_zero == pytest.approx(1.0, abs=0.01)
    state.lines_per_mm, state.centre_nm = 300.0, nm
    assert_true(exciton, pair_truth(world, "tagger").g2_zero, 0.03)
    assert exciton.value + 2 * exciton.error < 0.5
    purity = zeros["purity", points[0]]
    assert (purity.value, purity.error) == (1 - exciton.value, exciton.error)


def test_e11_drawn_statistics_are_the_closed_forms(tmp_path: Path) -> None:
    live = carried_out(tmp_path, "photon_statistics", "room_temperature")
    values = found(live, "E11")
    for point, (mean, ratio) in enumerate([(0.1, 0.0), (0.1, 1.0), (1.0, 0.0), (1.0, 1.0)]):
        true = cascade_statistics(mean, multiexciton=ratio, at_most=4)
        zero = values["g2_zero", point]
        assert_true(zero, true.g2_zero, 0.02)
        if ratio == 0.0:
            assert zero.value == 0.0
            assert ("x_to_xx", point) not in values
        else:
            assert_true(values["x_to_xx", point], true.x_to_xx, 0.02 * true.x_to_xx)


def test_e12_saturation_and_purity(tmp_path: Path) -> None:
    live = carried_out(tmp_path, "saturation", "room_temperature", **{"10 s": "2 s"})
    values = {name: value for (name, _), value in found(live, "E12").items()}
    true = pair_truth(live.rig.world, "tagger")
    assert_true(values["p_sat"], true.p_sat_w_cm2, 3.0)
    assert_true(values["rate_max"], true.rate_max_hz, 0.03 * true.rate_max_hz)
    assert_true(values["yield_ratio"], true.yield_ratio, 0.005)
    for fraction in (0.1, 1.5):
        zero = float(auger_g2(np.array([fraction]), true.yield_ratio)[0])
        assert_true(values[f"purity_at_{fraction:g}_p_sat"], 1 - zero, 0.005)
    assert true.p_sat_w_cm2 == pytest.approx(70.0, abs=0.2)


def test_e16_heralded_biexciton(tmp_path: Path) -> None:
    words = {"counts: 12000000": "counts: 2000000", "time: 2 s": "time: 1 s"}
    live = carried_out(tmp_path, "heralded_biexciton", "room_temperature", **words)
    values = {name: value for (name, _), value in found(live, "E16").items()}
    true = pair_truth(live.rig.world, "tagger")
    assert_true(values["biexciton_lifetime"], true.taus_ns[1], 0.05)
    assert_true(values["exciton_lifetime"], true.taus_ns[0], 1.0)
    assert_true(values["yield_ratio"], true.yield_ratio, 0.005)


def test_e20_a_superlattice_bunches_for_its_decay_time(tmp_path: Path) -> None:
    # One place of the sample, with more of its light in the band: the others, 7 um away, and a
    # longer wait only take time.
    sample = tmp_path / "sample.yaml"
    text = (CONFIGS / "samples" / "cspbbr3_superlattice.yaml").read_text("utf-8")
    assert "share: 0.50" in text
    sample.write_text(text.split("  S2:")[0].replace("share: 0.50", "share: 0.95"), "utf-8")
    recipe = changed(tmp_path, "bunching", **{"1000 s": "150 s"})
    live = run_recipe(tmp_path, recipe, "microscope", sample)
    results = {one.quantity: one for one in analyze(live.run) if one.experiment == "E20"}
    true = bunching_truth(live.rig.world, "tagger")
    zero, time = results["g2_zero"].measured, results["bunching_time"].measured
    assert_true(zero, true.g2_zero, 0.1)
    assert zero.value - 1 > 3 * zero.error
    assert_true(time, 1e3 * true.bunching_ns, 40.0)
    assert_true(results["pair_decay"].measured, 1e3 * true.bunching_ns, 4.0)
    # What passes beside the band dilutes the bunching, a little.
    assert 1.49 < true.g2_zero < 1.5
    assert not any("no response" in text for text in results["bunching_time"].warnings)


def test_pulsed_light_in_t2_is_no_steady_light(tmp_path: Path) -> None:
    text = (CONFIGS / "recipes" / "g2.yaml").read_text("utf-8")
    head, step = text.split("      - g2: {grating: 300/mm")[0], "{mode: t2, grating: 0/mm"
    path = tmp_path / "steady.yaml"
    path.write_text(f"{head}      - g2: {step}, stop: {{time: 5 s}}}}\n", "utf-8")
    sample = CONFIGS / "samples" / "cspbbr3_30nm.yaml"
    live = run_recipe(tmp_path, path, "microscope", sample)
    results = {one.quantity: one for one in analyze(live.run) if one.experiment == "E10"}
    for name in ("g2_zero", "antibunching_time"):
        assert np.isnan(results[name].value)
        assert any("comb of peaks 100 ns apart" in text for text in results[name].warnings)
