"""Runs: flags, a buffer that overruns, the end, the stop; upon the recording library."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import TaggerFlags, TaggerSettings
from labctl.transport import FlightRecorder, LibraryLink, pointed_to
from labctl_drivers.picoquant.multiharp150 import MultiHarp150, MultiHarp150Settings
from tcspc_bench import TcspcBench

T3 = TaggerSettings("t3", 1.0)
FIFO_FULL = {"PH": (0x1, 0x2, 0x3), "HH": (0x2,), "MH": (0x2,), "PH330": (0x2,)}


@pytest.fixture(params=["PH", "HH", "MH", "PH330"])
def started(fake: Callable[..., Any], request: pytest.FixtureRequest) -> Any:
    one = fake(request.param).connected()
    one.tagger.configure(T3)
    one.tagger.start()
    one.library.answers["ReadFiFo"] = [[1, 2, 3]]
    one.calls()
    return one


FLAGS = [
    ("PH", 0x40, "overflow"),
    ("PH", 0x100, "system_error"),
    ("HH", 0x1, "overflow"),
    ("HH", 0x4, "sync_lost"),
    ("HH", 0x8, "reference_lost"),
    ("HH", 0x10, "system_error"),
    ("HH", 0x60, ""),
    ("MH", 0x40, "counts_dropped"),
    ("MH", 0xA0, ""),
    ("PH330", 0x40, "counts_dropped"),
    ("PH330", 0x80, "system_error"),
    ("PH330", 0x10, "system_error"),
]


@pytest.mark.parametrize(("prefix", "bits", "word"), FLAGS)
def test_bits_of_the_flags(fake: Callable[..., Any], prefix: str, bits: int, word: str) -> None:
    one = fake(prefix).connected()
    one.tagger.configure(T3)
    one.tagger.start()
    one.library.answers["GetFlags"] = [bits]
    assert " ".join(one.tagger.flags().words()) == word
    # What was seen once stays seen until the next start.
    one.library.answers["GetFlags"] = [0]
    assert len(one.tagger.read_records()) == 0
    assert " ".join(one.tagger.flags().words()) == word
    assert one.tagger.running(), "none of these ends a run"
    one.tagger.stop()
    one.tagger.start()
    assert one.tagger.flags() == TaggerFlags()


def test_an_overrun_ends_the_run_with_what_it_has(started: Any) -> None:
    tagger, library = started.tagger, started.library
    assert tagger.read_records().tolist() == [1, 2, 3]
    for bits in FIFO_FULL[library.prefix][-1:]:
        library.answers["GetFlags"] = [bits]
    started.calls()
    assert tagger.read_records().tolist() == [1, 2, 3]
    assert [call.split()[0] for call in started.calls()] == ["GetFlags", "StopMeas", "ReadFiFo"]
    # The library would say that the time is not over.
    assert not tagger.running()
    assert tagger.read_records().tolist() == [1, 2, 3]
    assert [call.split()[0] for call in started.calls()] == ["GetFlags", "ReadFiFo"]
    library.answers["ReadFiFo"] = [[]]
    assert len(tagger.read_records()) == 0
    assert tagger.flags().words() == ("fifo_full",)
    started.calls()
    assert not tagger.is_stopped(), "stop is due also when a run ended by itself"
    tagger.stop()
    assert started.calls() == ["StopMeas 0"]
    library.answers["GetFlags"] = [0]
    tagger.start()
    assert tagger.running()
    assert not tagger.flags().fifo_full


@pytest.mark.parametrize("bits", FIFO_FULL["PH"])
def test_either_bit_of_a_picoharp_300_means_full(fake: Callable[..., Any], bits: int) -> None:
    one = fake("PH").connected()
    one.tagger.configure(T3)
    one.tagger.start()
    one.library.answers["GetFlags"] = [bits]
    one.tagger.read_records()
    assert not one.tagger.running()
    assert one.tagger.flags().words() == ("fifo_full",)


def test_a_run_that_ends_by_itself(started: Any) -> None:
    tagger, library = started.tagger, started.library
    library.answers["CTCStatus"] = [1]
    assert not tagger.running()
    assert tagger.read_records().tolist() == [1, 2, 3], "records are left when it has ended"
    with pytest.raises(RefusedError, match="stop the run first"):
        tagger.start()
    tagger.stop()
    assert "StopMeas 0" in started.calls()
    assert tagger.read_records().tolist() == [1, 2, 3]


def test_records_are_the_callers_own(started: Any) -> None:
    first = started.tagger.read_records()
    started.library.answers["ReadFiFo"] = [[9, 9, 9, 9]]
    second = started.tagger.read_records()
    assert (first.tolist(), second.tolist()) == ([1, 2, 3], [9, 9, 9, 9])
    assert first.dtype == "uint32"


def test_stop_is_always_allowed(started: Any) -> None:
    tagger = started.tagger
    for _ in range(3):
        tagger.make_safe("stop")
    assert started.calls() == ["StopMeas 0"] * 3
    tagger.close()
    tagger.make_safe("stop")


def test_a_stop_that_failed_is_not_taken_for_one(started: Any) -> None:
    started.library.codes["StopMeas"] = [-10]
    with pytest.raises(NoReplyError, match="DEVICE_NOT_OPEN"):
        started.tagger.make_safe("stop")
    assert not started.tagger.is_stopped()
    started.tagger.make_safe("stop")
    assert started.tagger.is_stopped()


def test_close_stops_a_run_and_bears_a_dead_module(started: Any) -> None:
    started.library.codes["StopMeas"] = [-10]
    started.library.codes["CloseDevice"] = [-37]
    started.tagger.close()
    assert started.calls() == ["StopMeas 0", "CloseDevice 0"]
    assert not started.tagger.connected


def test_flush_stops_and_lets_the_next_configure_initialise(started: Any) -> None:
    started.tagger.flush()
    assert started.tagger.settings is None
    assert started.calls() == ["StopMeas 0"]
    started.tagger.configure(T3)
    assert started.calls()[0].startswith("Initialize 0 3")


def test_no_change_and_no_histogram_during_a_run(fake: Callable[..., Any]) -> None:
    one = fake("HH").connected()
    one.tagger.configure(TaggerSettings("histogram", 1.0))
    one.tagger.start()
    one.calls()
    with pytest.raises(RefusedError, match="stop it first"):
        one.tagger.configure(T3)
    with pytest.raises(RefusedError, match="stop it first"):
        one.tagger.read_histogram(1)
    assert one.calls() == []
    with pytest.raises(RefusedError, match="no records in histogram mode"):
        one.tagger.read_records()
    with pytest.raises(RefusedError, match="no records in histogram mode"):
        one.tagger.stream()
    one.tagger.stop()
    with pytest.raises(RefusedError, match=r"no input 3 \(inputs: 1, 2\)"):
        one.tagger.read_histogram(3)


def test_a_histogram_that_is_full_says_so(fake: Callable[..., Any]) -> None:
    one = fake("PH").connected()
    one.tagger.configure(TaggerSettings("histogram", 1.0))
    one.tagger.start()
    one.tagger.stop()
    one.library.answers["GetFlags"] = [0x40]
    one.tagger.read_histogram(1)
    assert one.tagger.flags().words() == ("overflow",)


def test_t3_without_sync(fake: Callable[..., Any]) -> None:
    one = fake("HH").connected()
    one.tagger.configure(T3)
    one.library.answers["GetSyncRate"] = [0]
    with pytest.raises(DeviceRefusedError, match=r"no pulses at the sync input.*0\.25 s after"):
        one.tagger.stream()


class TapedLibrary:
    """Plays the part of the library from a flight record: in-going numbers must agree."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.left = entries
        self._names = {entry["called"] for entry in entries}

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(name)
        return partial(self._play, name)

    def _play(self, name: str, *arguments: Any) -> int:
        entry = self.left.pop(0)
        assert entry["called"] == name
        for argument, taped in zip(arguments, entry["arguments"], strict=True):
            target = pointed_to(argument)
            if isinstance(target, int):
                assert target == taped, (name, taped)
            elif hasattr(target, "value"):
                target.value = taped.encode("latin-1") if isinstance(taped, str) else taped
        code: int = entry["returned"]
        return code


def session(tagger: MultiHarp150, wait: Callable[[float], None]) -> list[Any]:
    """Connect, ask for everything that is no record, provoke an error, close."""
    found: list[Any] = [tagger.connect()]
    tagger.configure(TaggerSettings("t3", 0.1, binning=4, sync_divider=2))
    wait(tagger.settle_s)
    found += [tagger.read_sync_rate(), tagger.count_rate_hz(2), tagger.warnings(), tagger.stream()]
    tagger.start()
    found += [tagger.running(), tagger.flags()]
    wait(0.2)
    found.append(tagger.running())
    tagger.stop()
    found.append(tagger.snapshot())
    tagger.close()
    return found


def test_a_taped_session_gives_the_same_answers(tmp_path: Path) -> None:
    bench, recorder = TcspcBench("MH"), FlightRecorder(VirtualClock())
    bench.sim.fault_usb_error(times=1, code=-37, skip=20)
    link = LibraryLink(bench.library, recorder.library_log("tcspc"))
    live = session(MultiHarp150("tcspc", link, MultiHarp150Settings(), {}), bench.clock.advance)
    assert bench.library.errors == []
    assert sum(live[-1]["usb_repeats"].values()) == 1
    recorder.save_tape("tcspc", tmp_path / "tape")
    lines = (tmp_path / "tape").read_text(encoding="utf-8").splitlines()
    header, *entries = [json.loads(line) for line in lines]
    assert header["lost"] == 0
    taped = TapedLibrary(entries)
    again = MultiHarp150("tcspc", LibraryLink(taped), MultiHarp150Settings(), {})
    assert session(again, lambda _: None) == live
    assert taped.left == []


def test_a_library_that_crashes_is_a_device_error(fake: Callable[..., Any]) -> None:
    one = fake("MH").connected()

    def crash(*_: Any) -> int:
        raise OSError("access violation reading 0x0")

    vars(one.library)["MH_GetSyncRate"] = crash
    with pytest.raises(DeviceError, match="access violation"):
        one.tagger.read_sync_rate()
