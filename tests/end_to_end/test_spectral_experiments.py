"""E07, E17, E21, E22, E24 over the wire: shipped recipes, shortened, within four sigma."""

import math
from pathlib import Path

import pytest

from labctl.host import LocalHost, RunRequest
from labctl.results import ExperimentResult, analyze
from labctl.storage import read_run
from small_setup import ROOT

CONFIGS = ROOT / "configs"
SIGMAS = 4.0


def results_of(
    folder: Path, name: str, sample: str, *changes: tuple[str, str], setup: str = "microscope"
) -> dict[str, ExperimentResult]:
    """Run a shipped recipe with some words replaced; return its results by quantity."""
    text = (CONFIGS / "recipes" / f"{name}.yaml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "recipe.yaml"
    path.write_text(text, "utf-8")
    request = RunRequest(
        setup=CONFIGS / "setups" / f"{setup}.yaml",
        recipe=path,
        simulate=True,
        seed=0,
        sample=CONFIGS / "samples" / f"{sample}.yaml",
        out=folder / "data",
    )
    report = LocalHost().run(request)
    assert report.outcome.status == "complete", report.outcome.reason
    return {result.quantity: result for result in analyze(read_run(report.journal))}


def assert_true(result: ExperimentResult, truth: float, largest_error: float) -> None:
    assert 0 < result.standard_error < largest_error, result
    assert result.measured.covers(truth, SIGMAS), (result, truth)


@pytest.mark.timeout(300)
def test_e24_the_line_shifts_to_the_red(tmp_path: Path) -> None:
    every = (
        "[5.5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 125, 130, 135, 140, 145, 150,\n"
        "                 155, 160, 165, 170, 175, 180, 190, 200]"
    )
    some = "[5.5, 50, 90, 120, 133, 140, 146, 152, 158, 165, 180, 200]"
    found = results_of(
        tmp_path, "phase_transition", "fapbbr3", (every, some), ("poll: 10 s", "poll: 60 s")
    )
    # B4 has an edge of 9.9 nm: midpoint 153 K - 3 K * 7 / 9.9, width 6 K.
    midpoint_k = 153.0 - 3.0 * 7.0 / 9.9
    assert_true(found["transition_onset"], midpoint_k - 6.0 * math.log(19.0), 4.0)
    assert_true(found["transition_midpoint"], midpoint_k, 1.0)
    assert_true(found["red_shift"], 12.0, 2.0)
    assert_true(found["e_lo"], 16.0, 1.0)
    assert {one.experiment for one in found.values()} == {"E24"}


@pytest.mark.timeout(300)
def test_e21_e22_lines_of_one_dot_are_told_apart(tmp_path: Path) -> None:
    found = results_of(
        tmp_path, "replicas", "cspbbr3_13nm", ("frames: 20, port", "frames: 5, port")
    )
    edge_nm, factor = 13.63, 1.01
    assert_true(found["trion_binding"], 1.739 + 18.261 * 7 / edge_nm, 0.05)
    assert_true(found["biexciton_binding"], 6.087 + 33.913 * 7 / edge_nm, 0.05)
    for place, (energy_mev, strength) in enumerate(
        [(3.6, 0.10), (6.3, 0.07), (15.5, 0.05), (19.4, 0.04)], start=1
    ):
        assert_true(found[f"lo_{place}"], energy_mev, 0.05)
        assert_true(found[f"huang_rhys_{place}"], strength * 7 / edge_nm * factor, 0.003)
    assert found["lo_1"].experiment == "E21"
    assert found["huang_rhys_1"].experiment == "E22"


@pytest.mark.timeout(300)
def test_e17_the_red_tail_at_room_temperature(tmp_path: Path) -> None:
    shorter = ("frames: 15", "frames: 8")
    found = results_of(tmp_path, "urbach_tail", "cspbbr3_10nm", shorter, setup="room_temperature")
    assert_true(found["urbach_energy"], 14.0, 0.6)
    # 2.333 eV + 0.09 eV (7 / 9.9)^2, 73.6 meV by temperature, 19.6 meV less at room temperature.
    assert_true(found["peak_energy"], 2.432, 0.002)
    assert_true(found["fwhm"], 75.0, 1.0)


@pytest.mark.timeout(300)
def test_e07_quantum_yield_against_temperature(tmp_path: Path) -> None:
    found = results_of(
        tmp_path, "quantum_yield", "cspbbr3_30nm",
        ("[4, 15, 30, 45, 60, 77]", "[4, 77]"), ("poll: 10 s", "poll: 60 s"),
    )  # fmt: skip
    # Y(T) = 1 / (1 + 6 exp(-20 meV / kT)), and 1 at 4 K.
    at_77k = 1 / (1 + 6 * math.exp(-20.0 / (0.08617333262 * 77.0)))
    assert_true(found["relative_yield_coldest"], 1 / at_77k, 0.03)
    assert_true(found["plqy_coldest"], 0.77 / at_77k, 0.04)
    assert found["plqy_coldest"].value > 0.9
