"""Expansion: numbers, ids, loops and memory."""

import json
import math
import tracemalloc
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.recipes import (
    Calibrate,
    Measure,
    Move,
    Note,
    Recipe,
    Visit,
    Wait,
    count,
    expand,
    load_recipe,
    parse_recipe,
)

SPECTRUM = {"spectrum": {"exposure": "1 s"}}


def recipe(*steps: Any) -> Recipe:
    return parse_recipe({"name": "test", "steps": list(steps)})


def scan(values: Any, *steps: Any, settable: str = "cryostat.temperature") -> dict[str, Any]:
    return {"scan": settable, "values": values, "steps": list(steps)}


def repeat(times: int, *steps: Any) -> dict[str, Any]:
    return {"repeat": {"times": times, "steps": list(steps)}}


def nested(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    leaf = st.sampled_from([SPECTRUM, {"wait": "1 s"}, {"note": "x"}])
    if depth == 0:
        return leaf
    steps = st.lists(nested(depth - 1), min_size=1, max_size=3)
    values = st.lists(st.floats(3.0, 300.0), max_size=3)
    scans = st.tuples(values, steps).map(lambda drawn: scan(drawn[0], *drawn[1]))
    times = st.integers(0, 3)
    repeats = st.tuples(times, steps).map(lambda drawn: repeat(drawn[0], *drawn[1]))
    return st.one_of(leaf, scans, repeats)


def test_the_kinds_of_steps_in_order() -> None:
    found = list(
        expand(
            recipe(
                {"note": "begin"},
                scan(["4 K", "10 K"], {"wait": "2 s"}, {**SPECTRUM, "label": "x"}),
                {"calibrate": {"kind": "wavelength", "grating": "300/mm", "center": "550 nm",
                               "exposure": "1 s"}},
            )
        )
    )  # fmt: skip
    kinds = [Note, Move, Wait, Measure, Move, Wait, Measure, Calibrate]
    assert [type(step) for step in found] == kinds
    assert [step.number for step in found] == list(range(8))
    paths = ["0", "1.0/0", "1.0/1", "1.0/2", "1.1/0", "1.1/1", "1.1/2", "2"]
    assert [step.id.partition("/")[2] for step in found] == paths
    assert found[6].loops == (("cryostat.temperature", 10.0, "kelvin"),)
    assert isinstance(found[7], Measure)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize("spacing", ["linear", "log", "inverse"])
def test_ranges_of_few_values_keep_their_ends(number: int, spacing: str) -> None:
    values = {"start": 4, "stop": "90 K", "num": number, "spacing": spacing}
    source = recipe(scan(values, SPECTRUM))
    found = [step.value for step in expand(source) if isinstance(step, Move)]
    middle = {"linear": 47.0, "log": 360**0.5, "inverse": 2 / (1 / 4 + 1 / 90)}[spacing]
    expected = [4.0, middle, 90.0] if number == 3 else [4.0, 90.0][:number]
    assert found == pytest.approx(expected, rel=1e-14)
    assert count(source) == number
    assert found[:1] + found[-1:] == [4.0, 90.0][: min(number, 2)] if number > 1 else True


def same(value: float) -> float:
    return value


def inverse(value: float) -> float:
    return 1.0 / value


@given(st.floats(0.1, 1e4), st.floats(0.1, 1e4), st.integers(2, 30))
def test_ranges_are_even_in_what_they_say(start: float, stop: float, number: int) -> None:
    for spacing, even in (("linear", same), ("log", math.log), ("inverse", inverse)):
        values = {"start": start, "stop": stop, "num": number, "spacing": spacing}
        moves = (s for s in expand(recipe(scan(values, SPECTRUM))) if isinstance(s, Move))
        found = [even(move.value) for move in moves]
        step = (even(stop) - even(start)) / (number - 1)
        size = max(abs(even(start)), abs(even(stop)), 1.0)
        assert all(b - a == pytest.approx(step, abs=1e-9 * size) for a, b in pairwise(found))


@given(st.lists(nested(3), min_size=1, max_size=3))
def test_ids_are_unique_and_stable_and_the_count_is_right(steps: list[Any]) -> None:
    source = recipe(*steps)
    found = list(expand(source))
    assert len({step.id for step in found}) == len(found)
    assert found == list(expand(recipe(*steps)))
    assert sum(isinstance(step, Measure) for step in found) == count(source)
    assert all(step.id.startswith(f"{source.digest}/") for step in found)


@given(st.lists(nested(3), min_size=1, max_size=3))
def test_leaving_a_value_out_leaves_its_steps_out(steps: list[Any]) -> None:
    found = list(expand(recipe(*steps)))
    for move in found:
        if not isinstance(move, Move):
            continue
        prefix = move.path[:-1]
        within = [step for step in found if step.path[: len(prefix)] == prefix]
        assert within[0] is move
        assert [step.number for step in within] == list(range(move.number, within[-1].number + 1))
        assert all(step.loops[: len(move.loops)] == move.loops for step in within)


@given(st.lists(nested(3), min_size=1, max_size=2))
def test_the_resolved_recipe_is_the_same_recipe(steps: list[Any]) -> None:
    source = recipe(*steps)
    again = parse_recipe(json.loads(json.dumps(source.resolved())))
    assert again.digest == source.digest
    assert list(expand(again)) == list(expand(source))


def test_the_hash_ignores_formatting_and_comments(tmp_path: Path) -> None:
    texts = [
        "name: a\nsteps: [{spectrum: {exposure: 1 s, frames: 2}}]\n",
        "# text\nsteps:\n  - spectrum:\n      frames: 2   # two\n      exposure: '1 s'\nname: a\n",
        "name: a\nschema_version: 1\nsteps: [{spectrum: {exposure: 1000 ms, frames: 0x2}}]\n",
        "name: a\nsteps: [{spectrum: {exposure: 1 s, frames: 3}}]\n",
    ]
    digests: list[str] = []
    for text in texts:
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        digests.append(load_recipe(path).digest)
    assert len(set(digests[:3])) == 1
    assert digests[3] != digests[0]


@pytest.mark.parametrize("form", ["range", "repeat"])
def test_a_million_points_need_no_memory(form: str) -> None:
    values = {"start": 4, "stop": 90, "num": 1_000_000}
    source = recipe(scan(values, SPECTRUM) if form == "range" else repeat(1_000_000, SPECTRUM))
    assert count(source) == 1_000_000
    stream = expand(source)
    tracemalloc.start()
    last = next(islice(stream, 50_000, None))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert last.number == 50_000
    assert peak < 100_000


def test_scans_nest_freely_and_loops_tell_where() -> None:
    inner = scan([500, 550], SPECTRUM, settable="spectrograph.wavelength")
    found = [s for s in expand(recipe(scan([4, 10], repeat(2, inner)))) if isinstance(s, Measure)]
    assert len(found) == 8
    assert found[-1].loops == (
        ("cryostat.temperature", 10.0, ""),
        ("repeat", 1.0, ""),
        ("spectrograph.wavelength", 550.0, ""),
    )
    assert found[-1].path == (0, 1, 1, 1, 1, 1, 1)


def test_a_loop_over_dots_has_room_for_all_that_may_be_found() -> None:
    found = list(expand(recipe({"dots": {"at_most": 3, "steps": [SPECTRUM, {"note": "x"}]}})))
    visits = [step for step in found if isinstance(step, Visit)]
    assert [visit.dot for visit in visits] == [0, 1, 2]
    assert [step.path for step in found[:3]] == [(0, 0, 0), (0, 0, 1), (0, 0, 2)]
    assert {step.loops for step in found[3:6]} == {(("dot", 1.0, ""),)}
    assert [step.id.partition("/")[2] for step in found[3:6]] == ["0.1/0", "0.1/1", "0.1/2"]
    assert count(recipe({"dots": {"at_most": 3, "steps": [SPECTRUM]}})) == 3


def test_a_resolved_loop_over_dots_loads_again() -> None:
    source = recipe({"dots": {"at_most": 3, "reach": "2 um", "steps": [SPECTRUM]}})
    assert parse_recipe(source.resolved()).digest == source.digest
