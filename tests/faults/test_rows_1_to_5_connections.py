"""Rows 1, 3, 4, 5: no reply, a late reply, a lost connection, an instrument that was reset."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest

from invariants import check_invariants, detected_s, twice
from labctl.errors import DeviceError, DeviceRefusedError
from labctl.events import Event
from labctl.storage import Quality, RecordKind
from live_bench import POINTS, LiveRun, frame, once, run_live
from small_setup import LEGACY, S_SERIES, Bench, arrays

SERIES = """
name: series
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: cryostat.temperature
    values: [6, 8]
    settle: {tolerance: 50 mK, std: 50 mK, for: 60 s, timeout: 30 min}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2}
"""


def ask(
    bench: Bench,
    react: Callable[[Event, LiveRun], None],
    *,
    recipe: str = POINTS,
    words: Mapping[str, str] = LEGACY,
) -> LiveRun:
    return run_live(bench.request(setup=bench.setup(words), recipe=bench.recipe(recipe)), react)


def inject(device: str, kind: str, **parameters: Any) -> Callable[[LiveRun], None]:
    return lambda live: live.rig.inject(device, kind, **parameters)


def nothing(event: Event, live: LiveRun) -> None:
    """Only look."""


def settling(event: Event) -> bool:
    return event.kind == "progress" and event.text.startswith("cryostat.temperature")


def stored(event: Event) -> bool:
    return event.kind == "point_stored"


def qualities(live: LiveRun) -> list[int]:
    return [int(record.data["quality"]) for record in live.records(RecordKind.POINT)]


# Row 1


@pytest.mark.parametrize("device", ["spectrograph", "shutter"])
def test_one_lost_reply_costs_one_more_attempt_and_gives_the_same_numbers(
    bench: Bench, device: str
) -> None:
    live = ask(bench, once(stored, inject(device, "drop", times=1)))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    reference = ask(bench, nothing)
    assert qualities(reference) == [0, 0, 0]
    # A lost reply to a question is asked for again; what was asked again is marked.
    marked = [index for index, bits in enumerate(qualities(live)) if bits & Quality.RETRIED]
    assert marked == [1]
    assert [bits & ~Quality.RETRIED for bits in qualities(live)] == [0, 0, 0]
    wavelength = "spectrum.wavelength"
    assert arrays(live.run)[wavelength] == arrays(reference.run)[wavelength]
    assert live.run.data["spectrum"].sizes == reference.run.data["spectrum"].sizes


@pytest.mark.parametrize("words", [LEGACY, S_SERIES], ids=["tcp", "http"])
def test_silence_ends_the_run_within_three_deadlines(
    bench: Bench, words: Mapping[str, str]
) -> None:
    timeout_s = 5.0
    live = ask(bench, once(settling, inject("cryostat", "hang")), recipe=SERIES, words=words)
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DeviceError)
    assert outcome.error.device == "cryostat"
    assert outcome.error.command
    first_s = next(e.t_mono_s for e in live.of("message") if "asked again" in e.text) - timeout_s
    # Between the questions lie 0.1 and 0.5 s, and twice the 0.25 s of a quiet line; then the light
    # is ended, in a tenth of a second, before the state of the run changes.
    assert detected_s(live) - first_s <= 3.0 * timeout_s + 0.6 + 0.5 + 0.1
    check_invariants(live, device="cryostat")


def test_an_order_that_was_not_answered_is_given_again(bench: Bench) -> None:
    live = ask(bench, once(stored, inject("spectrograph", "drop", times=1, command="GOTO")))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    read = [
        r.data["read"]["spectrograph.wavelength"]["value"] for r in live.records(RecordKind.POINT)
    ]
    assert read == pytest.approx([530.0, 532.0, 534.0], abs=0.02)


# Row 3


@pytest.mark.parametrize("device", ["spectrograph", "cryostat", "shutter"])
@pytest.mark.parametrize("delay_s", [0.3, 2.5, 7.0])
def test_a_late_reply_never_becomes_the_next_one(bench: Bench, device: str, delay_s: float) -> None:
    live = ask(bench, once(stored, inject(device, "late", delay_s=delay_s, times=1)))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    for record, nm in zip(live.records(RecordKind.POINT), (530.0, 532.0, 534.0), strict=True):
        read = record.data["read"]
        assert read["spectrograph.wavelength"]["value"] == pytest.approx(nm, abs=0.02)
        assert read["cryostat.temperature"]["value"] == pytest.approx(4.0, abs=0.5)


# Row 4


@pytest.mark.parametrize("for_s", [0.05, 3.0, 30.0])
@pytest.mark.parametrize("device", ["spectrograph", "shutter"])
def test_a_lost_connection_is_made_again_and_the_point_repeated(
    bench: Bench, device: str, for_s: float
) -> None:
    live = ask(bench, once(frame(2, 1), inject(device, "disconnect", for_s=for_s)))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    # Without its shutter the light cannot be ended before that is back.
    check_invariants(live, detected=False)
    assert [bits & ~Quality.RETRIED & ~Quality.STALE_READING for bits in qualities(live)] == [0] * 3
    # What is back before anybody needs it has cost nothing.
    assert qualities(live)[1] or for_s < 1.0
    read = [
        r.data["read"]["spectrograph.wavelength"]["value"] for r in live.records(RecordKind.POINT)
    ]
    assert read == pytest.approx([530.0, 532.0, 534.0], abs=0.02)


def test_a_cryostat_that_was_away_while_it_settled_is_set_and_settled_again(bench: Bench) -> None:
    live = twice(
        lambda: ask(
            bench, once(settling, inject("cryostat", "disconnect", for_s=30.0)), recipe=SERIES
        )
    )
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    dials = [one["t_s"] for one in live.traffic("cryostat") if one.get("note") == "opened"]
    quick = [b - a for a, b in pairwise(dials) if b - a < 10.0 - 1e-6]
    # Two attempts at once, then one every 10 s; the last one here closes and opens on purpose.
    assert len(quick) <= 3
    read = [r.data["read"]["cryostat.temperature"]["value"] for r in live.records(RecordKind.POINT)]
    assert read == pytest.approx([6.0, 8.0], abs=0.05)


def test_another_unit_at_the_same_address_is_refused(bench: Bench) -> None:
    live = ask(
        bench,
        once(
            frame(2, 1),
            lambda live: (
                live.rig.inject("spectrograph", "other_unit"),
                live.rig.inject("spectrograph", "disconnect", for_s=3.0),
            )[0],
        ),
    )
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DeviceRefusedError)
    assert "another unit answers" in outcome.reason
    assert "25069999" in outcome.reason
    check_invariants(live, device="spectrograph")


def test_a_connection_that_stays_away_fails_the_run_in_the_dark(bench: Bench) -> None:
    live = ask(bench, once(settling, inject("cryostat", "disconnect", for_s=1e6)), recipe=SERIES)
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DeviceError)
    check_invariants(live, device="cryostat")


# Row 5


def test_a_cryostat_that_was_reset_is_noticed_before_the_next_point(bench: Bench) -> None:
    """Its own program has stopped cooling, so no set point helps, and the run must say so."""
    again = "      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2}\n"
    live = ask(bench, once(stored, inject("cryostat", "reset")), recipe=SERIES + again)
    assert live.ended.outcome.status == "failed"
    assert "cryostat.temperature has not settled at 6 K" in live.ended.outcome.reason
    check_invariants(live, device="cryostat")
    told = [event.text for event in live.of("message") if event.device == "cryostat"]
    assert any("it was reset: the set point is" in text for text in told)
    assert qualities(live) == [0]


@pytest.mark.parametrize("when", [stored, frame(2, 1)], ids=["between", "within"])
def test_a_spectrograph_that_was_reset_gives_no_point_at_a_wrong_wavelength(
    bench: Bench, when: Callable[[Event], bool]
) -> None:
    live = ask(bench, once(when, inject("spectrograph", "reset")))
    outcome = live.ended.outcome
    # It is silent for 30 s while it looks for its home. An order waits for longer than that, a
    # question does not.
    assert outcome.status == ("complete" if when is stored else "failed"), outcome.reason
    check_invariants(live, device="" if when is stored else "spectrograph", detected=False)
    records = live.records(RecordKind.POINT)
    assert len(records) == (3 if when is stored else 2)
    for record, nm in zip(records, (530.0, 532.0, 534.0), strict=False):
        read = record.data["read"].get("spectrograph.wavelength")
        assert record.data["quality"] or read["value"] == pytest.approx(nm, abs=0.02)
