"""Mistakes that are put into codecs, journal and interlocks one at a time are noticed by tests."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "mutate.py"
SOURCE = "def f(a, b):\n    if a < 3 and not b:\n        return a + 1\n    return 0.5\n"
MISTAKES = {
    "a <= 3",
    "a < 4",
    "a < 3 or not b",
    "a < 3 and b:",
    "return a - 1",
    "return a + 2",
    "return None",
    "return 1.5",
}


def test_every_kind_of_mistake_is_made_once() -> None:
    tool = runpy.run_path(str(TOOL))
    texts = [tool["spoiled"](SOURCE, number)[2] for number in tool["sites"](SOURCE)]
    found = {mistake for mistake in MISTAKES for text in texts if mistake in text}
    assert found == MISTAKES
    assert len(set(texts)) == len(texts) == len(MISTAKES)


def test_the_same_seed_draws_the_same_mistakes_and_every_file_has_its_turn() -> None:
    tool = runpy.run_path(str(TOOL))
    first, second = tool["mutants"](50, 0), tool["mutants"](50, 0)
    assert first == second
    assert {mutant.file for mutant in first} == set(tool["TARGETS"])


def test_most_mistakes_are_noticed(torture: bool) -> None:
    if not torture:
        pytest.skip("takes half an hour; with --torture")
    command = [sys.executable, str(TOOL), "--count", "50"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(done.stdout)
    noticed, _, total, *_ = done.stdout.splitlines()[-1].split()
    assert int(total) == 50
    assert int(noticed) >= 0.8 * int(total)
