"""The benchmarks run and judge as they say; nothing here is timed."""

import json
from pathlib import Path

import pytest

from benchmarks.figures import overhead_figures
from benchmarks.measure import PAYLOADS, Rounds
from benchmarks.memory import growth_mb
from benchmarks.overhead import engine_alone, overhead
from benchmarks.reaction import reactions
from benchmarks.report import Figure, as_json, document, machine, own_versions, text_table


@pytest.mark.parametrize("payload", ["float", "spectrum"])
@pytest.mark.parametrize("rows", [1, 2])
def test_engine_and_bare_loop_take_turns(payload: str, rows: int, tmp_path: Path) -> None:
    turns = overhead(payload, 12, tmp_path, rows=rows, turn=4)
    # What comes after the last full turn is not counted.
    assert len(turns.engine_ms) == len(turns.bare_ms) == 2
    assert turns.overhead_ms() == [
        a - b for a, b in zip(turns.engine_ms, turns.bare_ms, strict=True)
    ]
    assert not list(tmp_path.iterdir())


def test_the_overhead_is_judged_here_and_against_the_reference_machine(tmp_path: Path) -> None:
    found = Rounds()
    for payload in PAYLOADS:
        found.flat[payload].extend(overhead(payload, 12, tmp_path, turn=4))
        found.times["labctl", "synced", payload].append(1.0)
        found.times["labctl", "nested", payload].append(1.0)
        found.times["bluesky", "scan, no writer", payload] += [2.0, 2.48, 9.0]
    figures = {figure.name: figure for figure in overhead_figures(found, tmp_path, 400)}
    assert figures["  this machine over the reference, spectrum"].value == pytest.approx(2.0)
    here = figures["overhead, spectrum"]
    scaled = figures["  over the machine's slowness: overhead, spectrum"]
    assert here.target == scaled.target == "<= 0.1"
    assert here.value is not None
    assert scaled.value == pytest.approx(here.value / 2.0)


def test_the_engine_without_storage_has_no_bare_loop_beside_it() -> None:
    turns = engine_alone("float", 9, turn=4)
    assert len(turns.engine_ms) == 2
    assert turns.bare_ms == []


def test_commands_take_effect_while_a_detector_is_waited_for() -> None:
    found = reactions(1)
    assert {name: len(seconds) for name, seconds in found.items()} == {
        "pause": 1,
        "resume": 1,
        "abort": 1,
    }


def test_growth_of_memory_leaves_no_file(tmp_path: Path) -> None:
    grown = growth_mb("float", 5, tmp_path)
    assert grown is None or isinstance(grown, float)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "target", "verdict"),
    [
        (0.1, "<= 0.1", "met"),
        (0.11, "<= 0.1", "MISSED"),
        (5.0, ">= 5", "met"),
        (1.0, "> 1", "MISSED"),
        (0.9, "< 1", "met"),
        (3.0, "", ""),
        (None, "< 1", "not measured"),
    ],
)
def test_a_figure_is_judged_by_its_target(value: float | None, target: str, verdict: str) -> None:
    figure = Figure("figure", value, "ms", target)
    assert figure.verdict == verdict
    assert figure.met == (verdict != "MISSED")


def test_every_figure_stands_in_every_form_of_the_report() -> None:
    figures = [Figure("overhead, float", 0.05, "ms", "<= 0.1"), Figure("beside it", 2.0, "x")]
    about, versions = machine(), own_versions()
    assert "overhead, float" in text_table(figures)
    page = document(figures, about, versions)
    assert "| overhead, float | 0.05 ms | <= 0.1 ms | met |" in page
    assert "| beside it | 2 x |  |  |" in page
    data = json.loads(as_json(figures, about, versions))
    assert data["versions"] == versions
    assert [figure["verdict"] for figure in data["figures"]] == ["met", ""]
