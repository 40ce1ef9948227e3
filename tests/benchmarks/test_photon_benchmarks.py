"""The photon benchmarks run on short streams and stand beside every target; nothing is timed."""

import pytest

from benchmarks.photons.page import PAGE
from benchmarks.photons.run import figures
from benchmarks.report import Figure, document, machine, own_versions, text_table

TARGETS = {
    "decode A / memcpy": ">= 0.10",
    "decode C / memcpy": ">= 0.06",
    "decode A / ptufile, from a file": ">= 1.3",
    "decay histogram A / memcpy": ">= 0.25",
    "decay histogram A / tttrlib, from a file": ">= 60",
    "pulsed g2 A, ±10 periods": ">= 100",
    "pulsed g2 A / pycorrelate's algorithm, 1000 bins": ">= 200",
    "windowed g2, ±1 µs at 16 ps, 0.2 Mcps": ">= 150",
    "windowed g2, ±1 µs at 16 ps, 5 Mcps": ">= 30",
    "live A: decode, decay, trace, g2, raw write": ">= 80",
    "live D at 40 Mcps: raw records lost": "<= 0",
    "live D at 40 Mcps: share of the photons in g2": "",
    "fit of 2 exponentials, 4096 bins": "<= 3",
    "change points of 1e6 photons": "<= 0.1",
    "simulated module, 80 MHz, 5 Mcps: records": ">= 10",
}


@pytest.fixture(scope="module")
def found() -> list[Figure]:
    return figures(None, rounds=1, scale=0.002)


def test_every_target_has_its_figure(found: list[Figure]) -> None:
    asked = {figure.name: figure.target for figure in found}
    assert {name: asked.get(name) for name in TARGETS} == TARGETS


def test_without_the_other_programs_only_their_ratios_are_missing(found: list[Figure]) -> None:
    missing = {figure.name for figure in found if figure.value is None}
    assert missing == {name for name in TARGETS if name.endswith(("a file", "1000 bins"))}
    assert all(figure.verdict == "not measured" for figure in found if figure.value is None)


def test_no_raw_record_is_lost_even_here(found: list[Figure]) -> None:
    lost = {figure.name: figure.value for figure in found}
    assert lost["live D at 40 Mcps: raw records lost"] == 0
    share = lost["live D at 40 Mcps: share of the photons in g2"]
    assert share is not None
    assert 0.0 <= share <= 1.0


def test_the_page_and_the_table_hold_every_figure(found: list[Figure]) -> None:
    page = document(found, machine(), own_versions(), PAGE)
    table = text_table(found)
    assert page.startswith("# Benchmarks of photons")
    for figure in found:
        assert f"| {figure.name} |" in page
        assert figure.name in table
