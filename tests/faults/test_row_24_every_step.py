"""Row 24: an error at every single call of a run, while the making safe itself fails, too."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal
from unittest.mock import patch

import pytest

import fake_lab
from fake_lab import Bench, settings_of
from labctl.errors import DeviceError
from labctl.measurements import Array, Context, Measurement
from labctl.measurements._exposure import Exposure, expose
from labctl.recipes import Measure, Move, Note, Step, Wait
from labctl.roles import Camera, SettleRule
from labctl.sequencer import Outcome, ending, execute
from labctl.storage import RecordKind, TailState, read_journal

CLOSING = {
    "shutter": ("shutter.close",),
    "camera": ("camera.stop", "camera.shut", "camera.gain 1"),
    "lamp": ("lamp.off",),
}
"""Instrument of the safe state → what makes it safe."""
FOR_GOOD = 10**9
FAKE: Any = vars(fake_lab)["_Fake"]
Head = tuple[int, str, tuple[int, ...], tuple[()], Literal["abort"]]
RULE = SettleRule(0.05, 0.05, 20.0, 300.0)
ERRORS = [DeviceError("x", "anything", "breaks"), ZeroDivisionError("a mistake"), OSError("gone")]


class Lit(Measurement):
    """Takes frames in the light as every spectrum does, behind the register if it has a gain."""

    kind: ClassVar[str] = "lit"

    gain: int = 1

    def estimate_s(self) -> float:
        return 2.0

    def run(self, context: Context) -> None:
        exposure = Exposure(settings_of(self.gain), 2)
        taken = expose(context, context.station.only(Camera), exposure)
        frames = Array("frames", taken.counts, "counts", ("frame", "y", "x"))
        context.store([frames], settings={}, live_time_s=2.0)


def steps() -> list[Step]:
    """Return every kind of step, twice; in the last points the register multiplies."""
    found: list[Step] = []
    for place, kelvin in enumerate((4.0, 12.0)):

        def head(number: int, place: int = place) -> Head:
            return len(found), f"c/{place}/{number}", (0, place, number), (), "abort"

        found.append(Move(*head(0), "cryostat.temperature", kelvin, "K", RULE, "abort"))
        found.append(Move(*head(1), "spectrograph.wavelength", 530.0 + place, "nm", None, "abort"))
        found.append(Note(*head(2), "here"))
        found.append(Wait(*head(3), 7.0))
        found.append(Measure(*head(4), Lit()))
        found.append(Measure(*head(5), Lit(gain=10)))
    return found


@dataclass
class Calls:
    """Counts the calls of all instruments; one of them breaks, and one cannot be made safe.

    Attributes:
        breaks: Number of the call that breaks, from 0; None: all go well.
        error: With what.
        failing: The instrument that from then on cannot be made safe.
        left: So often it cannot.
        names: What was called.
    """

    breaks: int | None = None
    error: BaseException = ERRORS[0]
    failing: str = ""
    left: int = 0
    names: list[str] | None = None
    struck: bool = False
    count: int = 0

    def meet(self, name: str, method: str) -> None:
        self.count += 1
        if self.names is not None:
            self.names.append(method)
        closes = method in CLOSING.get(self.failing, ())
        if self.count - 1 == self.breaks:
            self.struck = True
            # An error in a close is one of those that it shall have.
            self.left -= closes
            raise self.error
        if self.struck and self.left > 0 and closes:
            self.left -= 1
            raise DeviceError(name, method, "does not close")


@contextmanager
def watched(calls: Calls) -> Generator[None]:
    enter: Any = FAKE._enter

    def met(fake: Any, method: str) -> None:
        enter(fake, method)
        calls.meet(fake.name, method)

    with patch.object(FAKE, "_enter", met):
        yield


def broken_off(folder: Path, calls: Calls) -> tuple[Bench, Outcome]:
    """Run with what ``calls`` brings about; a lamp was left on by somebody."""
    folder.mkdir(parents=True)
    bench = Bench(folder)
    bench.lamp.element = "neon"
    session = bench.start({"cryostat.temperature": 1.0})
    outcomes: list[Outcome] = []
    # What is no error of ours goes on to whoever wrote the script.
    with watched(calls), suppress(ZeroDivisionError, OSError), ending(session) as outcome:
        outcomes.append(outcome)
        execute(session, steps())
    return bench, outcomes[0]


def states(bench: Bench) -> dict[str, bool]:
    """Return by instrument of the safe state whether it is safe, by itself."""
    camera = bench.camera
    return {
        "shutter": not bench.shutter.position,
        "camera": camera.gain == 1 and not camera.enabled and not camera.running,
        "lamp": bench.lamp.element == "",
    }


def check_journal(bench: Bench, outcome: Outcome) -> None:
    with read_journal(bench.journal) as records:
        found = list(records)
    assert records.tail.state is TailState.END
    stop = found[-1]
    assert (stop.kind, stop.data["status"]) == (RecordKind.STOP, outcome.status)
    stored = [record.data["index"] for record in found if record.kind == RecordKind.POINT]
    assert stored == [event.index for event in bench.of("point_stored")]


def loud(bench: Bench) -> list[str]:
    return [event.text for event in bench.of("message") if event.text.startswith("NOT SAFE: ")]


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the syncs out: nobody cuts the power here, and they would take most of the time."""

    def no_sync(descriptor: int) -> None:
        del descriptor

    monkeypatch.setattr(os, "fsync", no_sync)


@pytest.fixture(scope="module")
def calls_in_all(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return how many calls a run makes."""
    calls = Calls(names=[])
    bench, outcome = broken_off(tmp_path_factory.mktemp("calm") / "run", calls)
    assert outcome.status == "complete", outcome.reason
    assert all(states(bench).values())
    assert len(bench.of("point_stored")) == 4
    assert calls.names is not None
    assert {"shutter.open", "camera.gain 10", "lamp.off", "set 12", "go 531"} <= set(calls.names)
    return calls.count


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_breaks_the_set_up_is_safe(
    tmp_path: Path, calls_in_all: int, torture: bool, error: BaseException
) -> None:
    for number in range(0, calls_in_all, 1 if torture or error is ERRORS[0] else 2):
        bench, outcome = broken_off(tmp_path / str(number), Calls(number, error))
        assert outcome.status in ("failed", "complete")
        if outcome.status == "failed":
            assert str(error) in outcome.reason
        assert outcome.unsafe == ()
        assert loud(bench) == []
        assert all(states(bench).values()), (number, states(bench))
        check_journal(bench, outcome)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("failing", CLOSING)
def test_a_close_that_fails_is_tried_again(
    tmp_path: Path, calls_in_all: int, torture: bool, failing: str, times: int
) -> None:
    for number in range(times - 1, calls_in_all, 1 if torture else 2):
        calls = Calls(number, failing=failing, left=times)
        bench, outcome = broken_off(tmp_path / str(number), calls)
        assert outcome.unsafe == (), (number, outcome.unsafe)
        assert all(states(bench).values()), (number, states(bench))
        check_journal(bench, outcome)


@pytest.mark.parametrize("failing", CLOSING)
def test_one_that_cannot_be_closed_is_told_loudly_and_the_others_are_safe(
    tmp_path: Path, calls_in_all: int, torture: bool, failing: str
) -> None:
    for number in range(0, calls_in_all, 1 if torture else 2):
        calls = Calls(number, failing=failing, left=FOR_GOOD)
        bench, outcome = broken_off(tmp_path / str(number), calls)
        check_journal(bench, outcome)
        others = {name: safe for name, safe in states(bench).items() if name != failing}
        assert all(others.values()), (number, others)
        # The last calls of all come when everything is safe already.
        told = [text for text in outcome.unsafe if text.startswith(f"{failing}.")]
        assert list(outcome.unsafe) == told
        assert bool(told) == bool(loud(bench))
        assert told or states(bench)[failing], number
        assert all("does not close" in text for text in told)
