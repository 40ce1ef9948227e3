"""What a time tagger does whoever made it: order of calls, flags, overruns, streams."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.photons import RecordType
from labctl.roles import Identity, TaggerFlags, TaggerSettings, TimeTagger

T3 = TaggerSettings("t3", 2.0, binning=3)
WORDS = [
    "fifo_full",
    "overflow",
    "sync_lost",
    "reference_lost",
    "counts_dropped",
    "system_error",
    "transfer_repeated",
]


class Tagger(TimeTagger):
    """A module of two inputs that does what it is told and counts how often."""

    def __init__(self) -> None:
        super().__init__("tagger")
        self.done: list[str] = []
        self.seen = TaggerFlags()
        self.over = False
        self.rate_hz = 8e7
        self.width_ps: float | None = None
        self.failure: DeviceError | None = None
        self.largest = 4
        self.waiting = [0, 1, 2]
        self.overruns_after = -1

    def _do(self, what: str) -> None:
        self.done.append(what)
        if self.failure is not None:
            raise self.failure

    def identity(self) -> Identity:
        return Identity("nobody", "tagger")

    def snapshot(self) -> dict[str, Any]:
        return {}

    def _open(self) -> None:
        self._forget()

    def _close(self) -> None:
        self._forget()

    def base_resolution_ps(self) -> float:
        return 5.0

    def histogram_bins(self) -> int:
        return 8

    def fifo_records(self) -> int:
        return 100

    def dead_time_ns(self) -> float:
        return 1.0

    def inputs(self) -> tuple[int, ...]:
        return (1, 2)

    def count_rate_hz(self, input_number: int) -> float:
        return 1000.0 * input_number

    def read_sync_rate(self) -> float:
        return self.rate_hz

    def warnings(self) -> tuple[str, ...]:
        return ()

    def describe(self) -> dict[str, Any]:
        return {}

    def _check_settings(self, settings: TaggerSettings) -> None:
        if settings.binning > 3:
            raise RefusedError(self.name, "binning")

    def _write_settings(self, settings: TaggerSettings) -> float:
        self._do("settings")
        return 5.0 * 2**settings.binning if self.width_ps is None else self.width_ps

    def _record_type(self, mode: int) -> RecordType:
        return RecordType.GENERIC_T2 if mode == 2 else RecordType.GENERIC_T3

    def _channel_of(self, input_number: int, mode: int) -> int:
        return 10 * mode + input_number

    def _start(self, acquisition_s: float) -> None:
        self._do(f"start {acquisition_s}")

    def _stop(self) -> None:
        self._do("stop")

    def _over(self) -> bool:
        return self.over

    def _read_flags(self) -> TaggerFlags:
        self._do("flags")
        self.overruns_after -= 1
        return self.seen | TaggerFlags(fifo_full=self.overruns_after == -1)

    def _largest_read(self) -> int:
        return self.largest

    def _read_fifo(self) -> NDArray[np.uint32]:
        self._do("records")
        taken, self.waiting = self.waiting[: self.largest], self.waiting[self.largest :]
        return np.array(taken, dtype=np.uint32)

    def _read_histogram(self, input_number: int) -> NDArray[np.uint32]:
        self._do("histogram")
        return np.full(8, input_number, dtype=np.uint32)


@pytest.fixture
def tagger() -> Tagger:
    one = Tagger()
    one.connect()
    return one


def test_flags_have_words_and_add_up() -> None:
    assert TaggerFlags().words() == ()
    assert list(TaggerFlags(**dict.fromkeys(WORDS, True)).words()) == WORDS
    both = TaggerFlags(sync_lost=True) | TaggerFlags(overflow=True)
    assert both == TaggerFlags(overflow=True, sync_lost=True)
    assert both | TaggerFlags() == both


@pytest.mark.parametrize(
    "wrong",
    [
        TaggerSettings("t3", 0.0009),
        TaggerSettings("t3", 360_000.1),
        TaggerSettings("t3", float("nan")),
        TaggerSettings("t3", 1.0, offset_ps=float("nan")),
        TaggerSettings("t3", 1.0, binning=4),
        TaggerSettings("t2", 1.0, sync_divider=2),
        TaggerSettings("t2", 1.0, binning=1),
        TaggerSettings("t2", 1.0, offset_ps=1.0),
    ],
)
def test_what_is_refused_is_not_sent(tagger: Tagger, wrong: TaggerSettings) -> None:
    tagger.configure(T3)
    tagger.done.clear()
    with pytest.raises(RefusedError):
        tagger.configure(wrong)
    assert tagger.done == []
    assert tagger.settings == T3, "what was set before is still in force"


def test_settings_that_were_not_taken_are_not_in_force(tagger: Tagger) -> None:
    tagger.width_ps = 5.0
    with pytest.raises(DeviceRefusedError, match="a delay bin is 5 ps, not 40 ps"):
        tagger.configure(T3)
    assert tagger.settings is None
    with pytest.raises(RefusedError, match="configure it first"):
        tagger.delay_bin_ps()


def test_streams(tagger: Tagger) -> None:
    with pytest.raises(RefusedError, match="configure it first"):
        tagger.stream()
    tagger.configure(T3)
    stream = tagger.stream()
    assert (stream.tick_s, stream.delay_bin_s) == (1.25e-8, 4e-11)
    assert (stream.mode, tagger.delay_bin_ps()) == (3, 40.0)
    assert [tagger.channel_of(number) for number in tagger.inputs()] == [31, 32]
    assert tagger.delay_bins() == 32768
    tagger.configure(TaggerSettings("t2", 1.0))
    assert (tagger.stream().tick_s, tagger.stream().mode) == (5e-12, 2)
    with pytest.raises(RefusedError, match=r"no input 3 \(inputs: 1, 2\)"):
        tagger.channel_of(3)
    tagger.configure(T3)
    tagger.rate_hz = 0.0
    with pytest.raises(DeviceRefusedError, match="no pulses"):
        tagger.stream()


def test_order_of_a_run(tagger: Tagger) -> None:
    assert tagger.is_stopped()
    assert not tagger.running()
    tagger.configure(T3)
    tagger.start()
    assert tagger.running()
    assert tagger.read_records().tolist() == [0, 1, 2]
    tagger.over = True
    assert not tagger.running()
    assert not tagger.is_stopped()
    tagger.make_safe("stop")
    assert tagger.is_stopped()
    assert tagger.done == ["settings", "start 2.0", "flags", "records", "stop"]


@pytest.mark.parametrize("waiting", range(14))
def test_a_call_empties_the_buffer_by_reads_with_flags_before_each(
    tagger: Tagger, waiting: int
) -> None:
    tagger.configure(T3)
    tagger.start()
    tagger.waiting = list(range(waiting))
    tagger.done.clear()
    records = tagger.read_records()
    assert (records.tolist(), records.dtype) == (list(range(waiting)), "uint32")
    assert tagger.done == ["flags", "records"] * (waiting // 4 + 1)


def test_a_call_ends_although_more_comes(tagger: Tagger) -> None:
    tagger.configure(T3)
    tagger.start()
    tagger.largest, tagger.waiting = 1 << 21, [7] * (5 << 20)
    assert [len(tagger.read_records()) for _ in range(3)] == [4 << 20, 1 << 20, 0]


def test_a_buffer_that_runs_over_between_two_reads(tagger: Tagger) -> None:
    tagger.configure(T3)
    tagger.start()
    tagger.waiting = list(range(10))
    tagger.overruns_after = 1
    assert tagger.read_records().tolist() == list(range(10))
    assert not tagger.running()
    reads = ["flags", "records", "flags", "stop", "records", "flags", "records"]
    assert tagger.done[-7:] == reads


def test_one_run_at_a_time(tagger: Tagger) -> None:
    tagger.configure(T3)
    tagger.start()
    for action in (tagger.start, lambda: tagger.configure(T3)):
        with pytest.raises(RefusedError, match="stop"):
            action()
    tagger.stop()
    tagger.configure(T3)
    tagger.start()


def test_an_overrun_stops_the_hardware_once(tagger: Tagger) -> None:
    tagger.configure(T3)
    tagger.start()
    tagger.seen = TaggerFlags(fifo_full=True)
    tagger.done.clear()
    assert tagger.read_records().tolist() == [0, 1, 2]
    assert tagger.read_records().tolist() == []
    assert tagger.done == ["flags", "stop", "records", "flags", "records"]
    assert not tagger.running()
    tagger.seen = TaggerFlags(counts_dropped=True)
    assert tagger.flags().words() == ("fifo_full", "counts_dropped")
    tagger.stop()
    tagger.start()
    assert tagger.running()
    assert tagger.flags().words() == ("counts_dropped",)


def test_a_failed_start_may_be_a_start(tagger: Tagger) -> None:
    tagger.configure(T3)
    tagger.failure = NoReplyError("tagger", "start", "silence")
    with pytest.raises(NoReplyError):
        tagger.start()
    assert not tagger.is_stopped()
    with pytest.raises(NoReplyError):
        tagger.make_safe("stop")
    assert not tagger.is_stopped()
    tagger.failure = None
    tagger.make_safe("stop")
    assert tagger.is_stopped()


def test_histograms(tagger: Tagger) -> None:
    tagger.configure(T3)
    with pytest.raises(RefusedError, match="no histogram in T2 and T3"):
        tagger.read_histogram(1)
    tagger.configure(TaggerSettings("histogram", 1.0))
    for action in (tagger.read_records, tagger.stream, lambda: tagger.channel_of(1)):
        with pytest.raises(RefusedError, match="no records in histogram mode"):
            action()
    tagger.start()
    with pytest.raises(RefusedError, match="stop it first"):
        tagger.read_histogram(1)
    tagger.stop()
    tagger.seen = TaggerFlags(overflow=True)
    assert tagger.read_histogram(2).tolist() == [2] * 8
    assert tagger.flags().overflow


def test_a_new_connection_knows_nothing(tagger: Tagger) -> None:
    tagger.configure(T3)
    tagger.start()
    tagger.close()
    assert tagger.is_stopped()
    tagger.connect()
    assert tagger.settings is None
