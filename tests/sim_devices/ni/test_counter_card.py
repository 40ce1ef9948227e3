"""The NI-DAQmx library object with real ctypes arguments, and the counts behind it."""

import ctypes
import math
from itertools import pairwise
from typing import Any

import pytest

from labctl_sim.detectors.pdm import Pdm
from labctl_sim.ni import CounterCard
from labctl_sim.world.photons import Bench
from tcspc_bench import HandClock, check_plain, make_world

RISING, COUNT_UP = 10280, 10128
NO_TASK, NO_CHANNEL, NO_DEVICE = -200088, -200170, -200220


class Card:
    """A card with one detector at its counter 1, driven as a C program would."""

    def __init__(self, **detector: Any) -> None:
        self.clock = HandClock()
        self.world = make_world(self.clock.now, self.clock.schedule)
        self.sim = CounterCard("daq", self.world, {"device": "Dev2"}, {})
        settings = {"tagger": "tcspc", "counter": "daq", "counter_channel": 1}
        self.apd = Pdm("apd_1", self.world, settings, detector).apd
        self.library: Any = self.sim.face(self.call)

    def call(self, method: str, arguments: list[Any]) -> Any:
        answer = self.sim.call(method, arguments)
        check_plain([method, arguments, answer])
        return answer

    def start(self, counter: bytes = b"Dev2/ctr1", initial: int = 0) -> ctypes.c_void_p:
        task, library = ctypes.c_void_p(), self.library
        assert library.DAQmxCreateTask(b"", ctypes.byref(task)) == 0
        create = library.DAQmxCreateCICountEdgesChan
        assert create(task, counter, b"", RISING, ctypes.c_uint32(initial), COUNT_UP) == 0
        assert library.DAQmxSetCICountEdgesTerm(task, counter, b"/Dev2/PFI8") == 0
        assert library.DAQmxStartTask(task) == 0
        return task

    def read(self, task: ctypes.c_void_p) -> int:
        counts = ctypes.c_uint32(99)
        read = self.library.DAQmxReadCounterScalarU32
        assert read(task, ctypes.c_double(1.0), ctypes.byref(counts), None) == 0
        return counts.value

    def expected_hz(self) -> float:
        bench = Bench.of(self.world)
        return bench.rates_hz(bench.apds("tcspc"), self.clock.s)[0]


def within(expected: float) -> Any:
    return pytest.approx(expected, abs=5.0 * math.sqrt(expected) + 1.0)


@pytest.mark.parametrize("period_s", [0.02, 0.137, 0.5])
def test_it_counts_the_pulses_of_its_detector(period_s: float) -> None:
    card = Card()
    task = card.start()
    rate_hz = card.expected_hz()
    assert rate_hz > 5000.0
    counts = [card.read(task)]
    for _ in range(20):
        card.clock.advance(period_s)
        counts.append(card.read(task))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] == within(20.0 * period_s * rate_hz)
    for before, after in pairwise(counts):
        assert after - before == within(period_s * rate_hz)


def test_further_readings_change_no_count() -> None:
    seldom, often = Card(), Card()
    tasks = seldom.start(), often.start()
    for _ in range(30):
        often.clock.advance(0.03)
        often.read(tasks[1])
    seldom.clock.advance(0.9)
    assert seldom.clock.s == pytest.approx(often.clock.s)
    assert seldom.read(tasks[0]) == often.read(tasks[1])


def test_after_a_long_silence_all_counts_are_there() -> None:
    card = Card()
    task = card.start()
    card.clock.advance(1000.0)
    assert card.read(task) == within(1000.0 * card.expected_hz())


def test_light_and_shutter_are_seen() -> None:
    card = Card(dark_rate_hz=0.0)
    task = card.start()
    card.clock.advance(1.0)
    lit = card.read(task)
    card.world.table.shutter_open = False
    card.clock.advance(0.1)
    dark = card.read(task)
    card.clock.advance(1.0)
    assert lit > 1000
    assert card.read(task) == dark


def test_the_count_goes_on_at_once_when_bright_light_ends_within_a_gate() -> None:
    card = Card(dark_rate_hz=1000.0)
    task = card.start()
    card.clock.advance(0.05)
    bright = card.read(task)
    card.world.table.shutter_open = False
    card.clock.advance(0.01)
    ended = card.read(task)
    card.clock.advance(2.0)
    assert 0 <= ended - bright < 0.2 * bright
    assert card.read(task) - ended == within(2000.0)


def test_the_count_wraps_at_32_bits_and_starts_anew_with_the_task() -> None:
    card = Card()
    task = card.start(initial=2**32 - 10)
    assert card.read(task) == 2**32 - 10
    card.clock.advance(1.0)
    assert card.read(task) == within(card.expected_hz() - 10)
    assert card.library.DAQmxStopTask(task) == 0
    assert card.library.DAQmxStartTask(task) == 0
    assert card.read(task) == 2**32 - 10


def test_a_counter_without_detector_counts_nothing() -> None:
    card = Card()
    task = card.start(b"dev2/CTR0")
    card.clock.advance(5.0)
    assert card.read(task) == 0


def test_which_card_it_is() -> None:
    card = Card()
    text, serial = ctypes.create_string_buffer(6), ctypes.c_uint32()
    assert card.library.DAQmxGetDevProductType(b"Dev2", text, ctypes.c_uint32(6)) == 0
    assert text.value == b"PCIe-"
    assert card.library.DAQmxGetDevProductType(b"Dev2", None, ctypes.c_uint32(0)) == 10
    assert card.library.DAQmxGetDevSerialNum(b"Dev2", ctypes.byref(serial)) == 0
    assert serial.value == 0x01A2B3C4


def error_text(card: Card) -> str:
    text = ctypes.create_string_buffer(2048)
    assert card.library.DAQmxGetExtendedErrorInfo(text, ctypes.c_uint32(2048)) == 0
    return text.value.decode()


def test_wrong_names_and_handles_are_refused_with_words() -> None:
    card = Card()
    library = card.library
    task, stranger = ctypes.c_void_p(), ctypes.c_void_p(77)
    assert library.DAQmxStartTask(stranger) == NO_TASK
    assert "does not exist" in error_text(card)
    assert "-200088" in error_text(card)
    assert library.DAQmxClearTask(None) == NO_TASK
    assert library.DAQmxCreateTask(b"", ctypes.byref(task)) == 0
    assert library.DAQmxStartTask(task) == -200478
    create = library.DAQmxCreateCICountEdgesChan
    for counter, code in ((b"Dev2/ctr4", NO_CHANNEL), (b"Dev1/ctr0", NO_DEVICE), (None, NO_DEVICE)):
        assert create(task, counter, b"", RISING, 0, COUNT_UP) == code
    assert create(task, b"Dev2/ctr0", b"", 1, 0, COUNT_UP) == -200077
    assert create(task, b"Dev2/ctr0", b"", RISING, 0, COUNT_UP) == 0
    term = library.DAQmxSetCICountEdgesTerm
    assert term(task, b"Dev2/ctr1", b"/Dev2/PFI8") == NO_CHANNEL
    assert term(task, b"Dev2/ctr0", b"/Dev9/PFI8") == NO_DEVICE
    assert library.DAQmxGetDevSerialNum(b"Dev1", ctypes.byref(ctypes.c_uint32())) == NO_DEVICE
    assert library.DAQmxReadCounterScalarU32(task, ctypes.c_double(1.0), None, None) == -200077
    assert library.errors == []


def test_one_counter_belongs_to_one_running_task() -> None:
    card = Card()
    first = card.start()
    second = ctypes.c_void_p()
    library = card.library
    assert library.DAQmxCreateTask(b"", ctypes.byref(second)) == 0
    create = library.DAQmxCreateCICountEdgesChan
    assert create(second, b"Dev2/ctr1", b"", RISING, 0, COUNT_UP) == 0
    assert library.DAQmxStartTask(second) == -50103
    assert library.DAQmxClearTask(first) == 0
    assert library.DAQmxStartTask(second) == 0


def test_a_card_that_is_taken_out() -> None:
    card = Card()
    task = card.start()
    card.sim.fault_unplug()
    counts = ctypes.c_uint32()
    read = card.library.DAQmxReadCounterScalarU32
    assert read(task, ctypes.c_double(1.0), ctypes.byref(counts), None) == NO_DEVICE
    card.sim.clear_faults()
    assert read(task, ctypes.c_double(1.0), ctypes.byref(counts), None) == NO_TASK
    assert card.read(card.start()) == 0
