"""Ranges of the four libraries: in the set-up file, and in what a measurement asks for."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import TaggerSettings

# Model, keys, lowest, highest and one step beyond; from phdefin.h, hhdefin.h, mhdefin.h, PH330Lib.
RANGES: list[tuple[str, str, str, str, str, str]] = [
    ("PH", "level", "0 mV", "800 mV", "-1 mV", "801 mV"),
    ("PH", "zero_cross", "0 mV", "20 mV", "-1 mV", "21 mV"),
    ("HH", "level", "0 mV", "1000 mV", "-1 mV", "1001 mV"),
    ("HH", "zero_cross", "0 mV", "40 mV", "-1 mV", "41 mV"),
    ("HH", "offset", "-99999 ps", "99999 ps", "-100 ns", "100 ns"),
    ("MH", "level", "-1200 mV", "1.2 V", "-1201 mV", "1201 mV"),
    ("MH", "offset", "-99999 ps", "99999 ps", "-100 ns", "100 ns"),
    ("MH", "dead_time", "800 ps", "160 ns", "799 ps", "160001 ps"),
    ("PH330", "level", "-1.5 V", "1.5 V", "-1501 mV", "1501 mV"),
    ("PH330", "dead_time", "800 ps", "160 ns", "799 ps", "160001 ps"),
]


@pytest.mark.parametrize("where", ["sync", "input"])
@pytest.mark.parametrize("row", RANGES, ids=lambda row: f"{row[0]}-{row[1]}")
def test_ranges_of_the_set_up(fake: Callable[..., Any], row: tuple[str, ...], where: str) -> None:
    prefix, key, low, high, below, above = row

    def make(value: str) -> None:
        fake(
            prefix, **({"sync": {key: value}} if where == "sync" else {"inputs": {1: {key: value}}})
        )

    make(low)
    make(high)
    for value in (below, above):
        with pytest.raises(ValidationError, match=f"{key} = .* is out of range"):
            make(value)


@pytest.mark.parametrize(
    ("keys", "low", "high", "beyond"),
    [
        ({"level"}, "-1500 mV", "0 mV", ["-1501 mV", "1 mV"]),
        ({"zero_cross"}, "-100 mV", "0 mV", ["-101 mV", "1 mV"]),
    ],
)
def test_discriminator_of_a_picoharp_330(
    fake: Callable[..., Any], keys: set[str], low: str, high: str, beyond: list[str]
) -> None:
    for value in (low, high):
        fake("PH330", sync={"trigger": "cfd", **dict.fromkeys(keys, value)})
    for value in beyond:
        with pytest.raises(ValidationError, match="out of range"):
            fake("PH330", sync={"trigger": "cfd", **dict.fromkeys(keys, value)})


@pytest.mark.parametrize(
    ("prefix", "settings", "words"),
    [
        ("PH", {"reference": "external"}, "takes no external clock"),
        ("PH", {"sync": {"offset": "100 ns"}}, "sync: offset = 100000 ps is out of range"),
        ("PH", {"inputs": {1: {"offset": "1 ps"}}}, "allowed: 0 to 0 ps"),
        ("PH", {"inputs": {2: {}}}, "there is no input 2, only 1"),
        ("HH", {"inputs": {9: {}}}, "there is no input 9, only 8"),
        ("MH", {"inputs": {65: {}}}, "there is no input 65, only 64"),
        ("PH330", {"inputs": {5: {}}}, "there is no input 5, only 4"),
        ("PH", {"sync": {"edge": "rising"}}, "edge belongs to an edge trigger"),
        ("HH", {"sync": {"trigger": "edge"}}, "it has no edge trigger"),
        ("MH", {"inputs": {1: {"trigger": "cfd"}}}, "input 1: it has no cfd trigger"),
        ("MH", {"sync": {"zero_cross": "0 mV"}}, "zero_cross belongs to a cfd"),
        ("HH", {"sync": {"dead_time": "1 ns"}}, "dead time cannot be programmed"),
        ("HH", {"overflow_hold": "2 ms"}, "it has no overflow_hold"),
        ("MH", {"overflow_hold": "256 ms"}, "overflow_hold = 256 ms is out of range"),
        ("MH", {"overflow_hold": "1.5 ms"}, "no whole number of ms"),
        ("MH", {"sync": {"level": "-50.5 mV"}}, "no whole number of mV"),
        ("MH", {"sync": {"level": -50}}, "has no unit"),
        ("MH", {"inputs": {0: {}}}, "greater than or equal to 1"),
        ("MH", {"markers": {5: "rising"}}, "less than or equal to 4"),
        ("MH", {"sync": {"levle": "-50 mV"}}, "levle"),
    ],
)
def test_wrong_set_ups(
    fake: Callable[..., Any], prefix: str, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        fake(prefix, **settings)


def test_all_problems_of_a_set_up_come_at_once(fake: Callable[..., Any]) -> None:
    settings = {"sync": {"level": "2 V"}, "inputs": {1: {"offset": "1 us"}, 70: {}}}
    with pytest.raises(ValidationError, match=r"sync: level.*; .*input 70.*"):
        fake("MH", **{**settings, "inputs": {70: {}}})
    with pytest.raises(ValidationError, match=r"sync: level.*; input 1: offset.*; .*input 70"):
        fake("MH", **settings)


T3: dict[str, Any] = {"mode": "t3", "acquisition_s": 1.0}
WANTED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("PH", {"binning": 7}, {"binning": 8}),
    ("HH", {"binning": 25}, {"binning": 26}),
    ("MH", {"binning": 23}, {"binning": 24}),
    ("PH330", {"binning": 23}, {"binning": 24}),
    ("PH", {"binning": 0}, {"binning": -1}),
    ("PH", {"sync_divider": 8}, {"sync_divider": 16}),
    ("HH", {"sync_divider": 16}, {"sync_divider": 32}),
    ("MH", {"sync_divider": 16}, {"sync_divider": 3}),
    ("PH330", {"sync_divider": 8}, {"sync_divider": 16}),
    ("MH", {"sync_divider": 1}, {"sync_divider": 0}),
    ("PH", {"offset_ps": 1e9}, {"offset_ps": 1e9 + 1}),
    ("HH", {"offset_ps": 500_000e3}, {"offset_ps": 500_001e3}),
    ("MH", {"offset_ps": 100_000_000e3}, {"offset_ps": 100_000_001e3}),
    ("PH330", {"offset_ps": 100_000_000e3}, {"offset_ps": 100_000_001e3}),
    ("MH", {"offset_ps": 0.0}, {"offset_ps": -1000.0}),
    ("MH", {"offset_ps": 1000.0}, {"offset_ps": 1500.0}),
    ("PH", {"offset_ps": 1.0}, {"offset_ps": 1.5}),
    ("MH", {"acquisition_s": 0.001}, {"acquisition_s": 0.0009}),
    ("MH", {"acquisition_s": 360_000.0}, {"acquisition_s": 360_001.0}),
    ("MH", {}, {"acquisition_s": float("nan")}),
    ("MH", {}, {"offset_ps": float("inf")}),
    ("MH", {}, {"mode": "t4"}),
]


@pytest.mark.parametrize(("prefix", "good", "bad"), WANTED)
def test_what_a_measurement_may_ask_for(
    fake: Callable[..., Any], prefix: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    one = fake(prefix).connected()
    with pytest.raises(RefusedError):
        one.tagger.configure(TaggerSettings(**{**T3, **bad}))
    assert one.calls() == [], "nothing is sent before all is checked"
    settings = TaggerSettings(**{**T3, **good})
    base_ps = one.tagger.base_resolution_ps()
    one.answer_resolution(base_ps * 2**settings.binning)
    one.tagger.configure(settings)
    assert one.tagger.settings == settings


@pytest.mark.parametrize("wrong", [{"sync_divider": 2}, {"binning": 1}, {"offset_ps": 1000.0}])
def test_t2_has_neither_divider_nor_delay_axis(
    fake: Callable[..., Any], wrong: dict[str, Any]
) -> None:
    one = fake("MH").connected()
    with pytest.raises(RefusedError, match="T2"):
        one.tagger.configure(TaggerSettings("t2", 1.0, **wrong))
    assert one.calls() == []


def test_a_resolution_that_was_not_taken(fake: Callable[..., Any]) -> None:
    one = fake("MH").connected()
    with pytest.raises(DeviceRefusedError, match="a delay bin is 5 ps, not 10 ps"):
        one.tagger.configure(TaggerSettings("t3", 1.0, binning=1))
    assert one.tagger.settings is None


def test_a_histogram_of_another_length(fake: Callable[..., Any]) -> None:
    one = fake("MH").connected()
    one.library.answers["SetHistoLen"] = [1024]
    with pytest.raises(DeviceRefusedError, match="1024 bins instead of 65536"):
        one.tagger.configure(TaggerSettings("histogram", 1.0))


def test_dead_time_is_the_longer_of_documented_and_programmed(fake: Callable[..., Any]) -> None:
    assert fake("PH").connected().tagger.dead_time_ns() == 95.0
    assert fake("HH").connected().tagger.dead_time_ns() == 80.0
    assert fake("MH").connected().tagger.dead_time_ns() == 0.65
    assert fake("PH330").connected().tagger.dead_time_ns() == 0.68
    inputs = {1: {"dead_time": "2 ns"}, 2: {"dead_time": "50 ns", "enabled": False}}
    assert fake("MH", inputs=inputs).connected().tagger.dead_time_ns() == pytest.approx(2.0)


def test_description_for_the_header_of_a_file(fake: Callable[..., Any]) -> None:
    one = fake("MH", sync={"level": "-200 mV"}, inputs={2: {"offset": "7 ps"}}).connected()
    about = one.tagger.describe()
    assert (about["hardware"], about["hardware_version"], about["inputs"]) == (
        "MultiHarp",
        "1.0",
        2,
    )
    assert about["sync"] == {
        "trigger": "edge",
        "level_mv": -200,
        "edge": "falling",
        "offset_ps": 0,
        "dead_time_ps": 650.0,
    }
    assert about["channels"]["2"]["offset_ps"] == 7
    about = fake("PH").connected().tagger.describe()
    assert about["channels"]["1"] == {
        "enabled": True,
        "trigger": "cfd",
        "level_mv": 50,
        "zero_cross_mv": 10,
        "offset_ps": 0,
        "dead_time_ps": 95_000.0,
    }
