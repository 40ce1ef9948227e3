"""The stand-ins as libraries: order of calls, codes, ranges, ctypes conventions, rates, faults."""

import ctypes
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl_sim.picoquant._replay import decode
from tcspc_bench import HIST, MODULES, T2, T3, TcspcBench

Make = Callable[..., TcspcBench]
ALL = pytest.mark.parametrize("prefix", MODULES)
HYDRAS = pytest.mark.parametrize("prefix", ["HH", "MH", "PH330"])


@ALL
def test_identity_and_order(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    version, serial = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
    assert getattr(bench.library, f"{prefix}_GetLibraryVersion")(version) == 0
    assert version.value.decode() == bench.kind.model.library
    assert bench.run("SetSyncDiv", 1) == -10
    assert getattr(bench.library, f"{prefix}_OpenDevice")(3, serial) == -1
    assert bench.run("OpenDevice", serial) == 0
    assert serial.value.decode() == bench.kind.model.serial
    assert bench.run("SetSyncDiv", 1) == -22
    wrong = [5] if prefix == "PH" else [5, 0]
    assert bench.run("Initialize", *wrong) == -18
    bench.open(T3)
    assert bench.number("GetResolution", kind=ctypes.c_double) == bench.kind.model.base_ps
    assert bench.run("CloseDevice") == 0
    assert bench.run("CloseDevice") == -10


@ALL
def test_error_strings_and_null(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    text = ctypes.create_string_buffer(40)
    assert getattr(bench.library, f"{prefix}_GetErrorString")(text, -36) == 0
    assert text.value == b"ERROR_USB_VCMD_FAIL"
    assert bench.run("GetFlags", None) == -20


@ALL
def test_ranges(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(HIST)
    model = bench.kind.model
    assert bench.run("SetSyncDiv", 3) == -17
    assert bench.run("SetSyncDiv", model.sync_dividers[-1]) == 0
    assert bench.run("SetBinning", model.bin_steps) == -17
    assert bench.run("SetBinning", model.bin_steps - 1) == 0
    assert bench.run("SetOffset", model.measure_offset + 1) == -17
    assert bench.run("StartMeas", 0) == -17
    assert bench.run("StartMeas", 360_000_001) == -17
    if model.cfd_mv is not None:
        low, high = model.cfd_mv
        assert bench.run("SetInputCFD", 0, high, model.zero_cross_mv[0]) == 0
        assert bench.run("SetInputCFD", 0, high + 1, model.zero_cross_mv[0]) == -17
        assert bench.run("SetInputCFD", 0, low - 1, model.zero_cross_mv[0]) == -17
    else:
        assert not hasattr(bench.library, f"{prefix}_SetInputCFD")
    if model.edge_mv is not None:
        assert bench.run("SetInputEdgeTrg", 0, model.edge_mv[0], 0) == 0
        assert bench.run("SetInputEdgeTrg", 0, model.edge_mv[0] - 1, 0) == -17


@ALL
def test_a_second_start_and_settings_are_refused_while_it_runs(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    assert bench.run("StartMeas", 100) == 0
    assert bench.run("StartMeas", 100) == -16
    assert bench.run("SetBinning", 1) == -16
    bench.clock.advance(0.2)
    assert bench.number("CTCStatus") == 1
    assert bench.run("StartMeas", 100) == -16, "until StopMeas, also when it ended by itself"
    assert bench.run("StopMeas") == 0
    assert bench.run("StartMeas", 100) == 0


@ALL
def test_rates_need_time_and_warnings_follow(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    serial = ctypes.create_string_buffer(8)
    bench.run("OpenDevice", serial)
    bench.run("Initialize", T3, *([] if prefix == "PH" else [0]))
    channel = 1 if prefix == "PH" else 0
    assert bench.number("GetCountRate", channel) == 0
    bench.clock.advance(0.2)
    assert bench.number("GetCountRate", channel) == pytest.approx(
        bench.expected_hz()[0], abs=5.0 * (bench.expected_hz()[0] / 0.1) ** 0.5
    )
    sync = bench.number("GetCountRate", 0) if prefix == "PH" else bench.number("GetSyncRate")
    assert sync == 10_000_000
    assert bench.number("GetWarnings") & ~0x400 == 0
    bench.world.table.shutter_open = False
    bench.world.table.laser_on = False
    bench.clock.advance(0.2)
    assert bench.number("GetWarnings") & 0x1
    text = ctypes.create_string_buffer(16384)
    assert bench.run("GetWarningsText", text, 0x101) == 0
    assert text.value.count(b"\n") == 2


@ALL
@pytest.mark.parametrize("mode", [T2, T3])
def test_records_hold_what_the_world_gave(tcspc: Make, prefix: str, mode: int) -> None:
    bench = tcspc(prefix)
    bench.open(mode)
    ticks, delays, channels = decode(bench.acquire(400), bench.kind.model.form, t3=mode == T3)
    several = 1 if prefix == "PH" and mode == T3 else 2
    expected = 0.4 * bench.expected_hz()[0]
    counts = np.bincount(channels, minlength=2)
    # Afterpulses add one per cent.
    spread = 5.0 * expected**0.5
    assert list(counts[counts > 0]) == pytest.approx([1.01 * expected] * several, abs=spread)
    assert (np.diff(ticks) >= 0).all()
    length_s = 1e-7 if mode == T3 else 1e-12 * bench.kind.model.base_ps
    assert 0.38 < ticks[-1] * length_s < 0.4
    if mode == T3:
        assert delays.mean() * bench.kind.model.base_ps < 6000.0


@ALL
def test_reading_often_or_seldom_gives_the_same_records(tcspc: Make, prefix: str) -> None:
    runs: list[NDArray[np.uint32]] = []
    for every_s in (0.003, 0.17):
        bench = tcspc(prefix)
        bench.open(T3)
        runs.append(bench.acquire(300, every_s))
    assert np.array_equal(runs[0], runs[1])


@ALL
def test_histograms_end_at_the_stop_count(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(HIST)
    bench.run("SetBinning", 4)
    bench.run("SetStopOverflow", 0, 65535)
    bench.run("StartMeas", 500)
    bench.clock.advance(1.0)
    assert bench.number("CTCStatus") == 1
    bench.run("StopMeas")
    counts = bench.histogram()
    expected = 0.5 * bench.expected_hz()[0]
    assert int(counts.sum()) == pytest.approx(1.01 * expected, abs=5.0 * expected**0.5)
    assert bench.number("GetFlags") & bench.kind.model.flags["overflow"] == 0
    bench.run("ClearHistMem", *([0] if prefix == "PH" else []))
    assert bench.histogram().sum() == 0
    bench.run("SetStopOverflow", 1, 50)
    bench.run("StartMeas", 10_000)
    bench.clock.advance(1.0)
    assert bench.number("CTCStatus") == 1
    bench.run("StopMeas")
    channels = 1 if prefix == "PH" else 2
    assert max(bench.histogram(channel).max() for channel in range(channels)) == 50
    assert bench.number("GetFlags") & bench.kind.model.flags["overflow"]
    assert bench.number("GetElapsedMeasTime", kind=ctypes.c_double) < 1000.0


@HYDRAS
def test_offsets_shift_delays(tcspc: Make, prefix: str) -> None:
    means: list[float] = []
    for offset_ps in (1000, 3000):
        bench = tcspc(prefix)
        bench.open(T3)
        bench.run("SetInputChannelOffset", 0, offset_ps)
        _, delays, channels = decode(bench.acquire(300), bench.kind.model.form, t3=True)
        early = delays[channels == 0] * bench.kind.model.base_ps
        means.append(float(np.median(early)))
    assert means[1] - means[0] == pytest.approx(2000.0, abs=20.0)


@ALL
def test_a_level_above_the_pulses_sees_nothing(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix, amplitude_v=-0.1)
    bench.open(T3)
    channel = 1 if prefix == "PH" else 0
    if prefix in ("PH", "HH"):
        bench.run("SetInputCFD", channel, 200, 10)
    else:
        bench.run("SetInputEdgeTrg", channel, -200, 0)
    bench.clock.advance(0.3)
    assert bench.number("GetCountRate", channel) == 0
    _, _, channels = decode(bench.acquire(100), bench.kind.model.form, t3=True)
    assert 0 not in channels


@ALL
def test_a_buffer_that_nobody_reads_runs_full(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(T2)
    bench.sim.fault_over_light(2e7)
    if prefix in ("MH", "PH330"):
        bench.sim.fault_fifo_overrun()
    bench.run("StartMeas", 10_000)
    full = bench.kind.model.flags["fifo_full"]
    bench.clock.advance(0.001)
    if prefix in ("PH", "HH"):
        assert bench.number("GetFlags") & full == 0
        bench.clock.advance(0.3)
    assert bench.number("GetFlags") & full
    before = sum(len(bench.read()) for _ in range(20))
    bench.clock.advance(0.3)
    after = len(bench.read())
    assert before + after <= bench.kind.model.fifo
    bench.run("StopMeas")


@ALL
def test_usb_errors_strike_and_pass(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    bench.sim.fault_usb_error(times=2, code=-37, skip=1)
    flags = ctypes.c_int()
    codes = [bench.run("GetFlags", ctypes.byref(flags)) for _ in range(4)]
    assert codes == [0, -37, -37, 0]


@ALL
def test_a_pulled_cable_ends_the_run_and_the_module_comes_back_fresh(
    tcspc: Make, prefix: str
) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    bench.run("SetBinning", 3)
    bench.run("StartMeas", 10_000)
    bench.clock.advance(0.5)
    bench.sim.fault_unplug()
    number = ctypes.byref(ctypes.c_int())
    buffer = ctypes.create_string_buffer(4 * 1048576)
    calls: list[tuple[str, list[object]]] = [
        ("GetFlags", [number]),
        ("CTCStatus", [number]),
        ("ReadFiFo", [buffer, *([131072] if prefix in ("PH", "HH") else []), number]),
        ("StopMeas", []),
        ("SetBinning", [0]),
        ("CloseDevice", []),
    ]
    assert {bench.run(name, *arguments) for name, arguments in calls} == {-10}
    assert bench.run("OpenDevice", ctypes.create_string_buffer(8)) == -1
    bench.clock.advance(1.0)
    bench.sim.clear_faults()
    assert bench.run("GetFlags", number) == -10, "plugged in again, but not open"
    assert bench.run("OpenDevice", ctypes.create_string_buffer(8)) == 0
    assert bench.run("GetFlags", number) == -22
    bench.run("CloseDevice")
    bench.open(T3)
    assert bench.number("GetResolution", kind=ctypes.c_double) == bench.kind.model.base_ps
    assert bench.number("GetFlags") & bench.kind.model.flags.get("active", 0) == 0
    assert len(bench.read()) == 0, "what lay in the buffer is gone"
    assert bench.run("StartMeas", 100) == 0
    bench.clock.advance(0.2)
    assert len(bench.read()) > 100
    bench.run("StopMeas")


@HYDRAS
def test_sync_lost_ends_the_photons_and_is_flagged(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    bench.run("StartMeas", 1000)
    bench.clock.advance(0.5)
    assert len(bench.read()) > 1000
    bench.sim.fault_lose_sync()
    bench.clock.advance(0.4)
    assert bench.number("GetFlags") & 0x4
    _, _, channels = decode(bench.read(), bench.kind.model.form, t3=True)
    assert len(channels) == 0
    assert bench.number("GetSyncRate") == 0
    bench.run("StopMeas")


@ALL
def test_a_lying_meter_and_stray_light(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    channel = 1 if prefix == "PH" else 0
    bench.sim.fault_lie(rate_hz=123.0)
    assert bench.number("GetCountRate", channel) == 123
    bench.sim.clear_faults()
    bench.sim.fault_over_light(rate_hz=2e7)
    assert bench.number("GetCountRate", channel) > 5_000_000
    assert bench.number("GetWarnings") & 0x100


@ALL
def test_markers_come_in_order(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    bench.run("StartMeas", 300)
    bench.clock.advance(0.05)
    bench.sim.fault_marker(bits=4)
    bench.clock.advance(0.05)
    bench.world.table.analyser_deg = 30.0
    bench.clock.advance(0.5)
    bench.number("CTCStatus")
    ticks, _, channels = decode(bench.read(), bench.kind.model.form, t3=True)
    assert (np.diff(ticks) >= 0).all()
    marked = [(int(t), int(c)) for t, c in zip(ticks, channels, strict=True) if c > 0xFF]
    assert marked[0] == (500_000, 0x104)
    assert [c for _, c in marked] == [0x104, 0x101]
    bench.run("StopMeas")


def test_the_multiharp_gives_all_rates_at_once(tcspc: Make) -> None:
    bench = tcspc("MH")
    bench.open(T3)
    sync, rates = ctypes.c_int(), (ctypes.c_int * 4)()
    assert bench.run("GetAllCountRates", ctypes.byref(sync), rates) == 0
    assert sync.value == 10_000_000
    assert rates[0] == bench.number("GetCountRate", 0)
    assert rates[2:] == [0, 0]


def test_the_laser_at_the_sync_input_fills_t2_with_its_pulses(tcspc: Make) -> None:
    bench = tcspc("MH", t2_sync="laser")
    bench.open(T2)
    bench.run("SetSyncDiv", 16)
    _, _, channels = decode(bench.acquire(20), bench.kind.model.form, t3=False)
    assert (channels == 7).sum() == pytest.approx(0.02 * 1e7 / 16, abs=1)


def test_only_the_first_photon_counts_without_multistop(tcspc: Make) -> None:
    bench = tcspc("PH")
    bench.open(HIST)
    bench.sim.fault_over_light(1e7)
    totals: list[int] = []
    for multistop in (0, 1):
        bench.run("SetMultistopEnable", multistop)
        bench.run("SetBinning", 7)
        bench.run("ClearHistMem", 0)
        bench.run("StartMeas", 50)
        bench.clock.advance(0.2)
        bench.run("StopMeas")
        totals.append(int(bench.histogram().sum()))
    assert totals[0] < totals[1]


def test_a_router_gives_a_picoharp_300_more_inputs_in_t3(tcspc: Make) -> None:
    bench = tcspc("PH", router=True)
    bench.open(T3)
    assert bench.number("GetRoutingChannels") == 4
    _, _, channels = decode(bench.acquire(100), bench.kind.model.form, t3=True)
    assert set(channels) == {0, 1}
