"""The drivers upon the simulated libraries: rates, records and decays of a simulated dot."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labctl.errors import NoReplyError
from labctl.photons import Decays, Decoder
from labctl.roles import Mode, TaggerSettings, TimeTagger
from labctl.setup import plain
from labctl_drivers.picoquant.hydraharp400 import HydraHarp400
from labctl_drivers.picoquant.multiharp150 import MultiHarp150
from labctl_drivers.picoquant.picoharp300 import PicoHarp300
from labctl_drivers.picoquant.picoharp330 import PicoHarp330

DRIVERS: dict[str, Any] = {
    "PH": PicoHarp300,
    "HH": HydraHarp400,
    "MH": MultiHarp150,
    "PH330": PicoHarp330,
}
SYNC = {"PH": "100 mV", "HH": "100 mV", "MH": "-100 mV", "PH330": "-100 mV"}
models = pytest.mark.parametrize("prefix", ["PH", "HH", "MH", "PH330"])
FIVE_SIGMA = 5.0


def poisson_close(counts: float, expected: float) -> bool:
    """Whether a count is within 5 standard deviations: by chance once in 1.7 million."""
    return abs(counts - expected) < FIVE_SIGMA * expected**0.5


@models
def test_rates_come_after_the_settling_time(simulated: Callable[..., Any], prefix: str) -> None:
    one = simulated(prefix)
    one.tagger.configure(TaggerSettings("t3", 1.0, binning=4))
    assert one.tagger.read_sync_rate() == 0.0
    one.wait(one.tagger.settle_s)
    assert one.tagger.read_sync_rate() == 1e7
    rate_hz = one.tagger.count_rate_hz(1)
    # The meter counts for 0.1 s.
    assert poisson_close(0.1 * rate_hz, 0.1 * one.bench.expected_hz()[0])
    assert one.tagger.stream().tick_s == 1e-7


@models
def test_t3_photons_and_decays(simulated: Callable[..., Any], prefix: str) -> None:
    one = simulated(prefix)
    binning = {"PH": 4, "HH": 4, "MH": 2, "PH330": 4}[prefix]
    one.tagger.configure(TaggerSettings("t3", 0.5, binning=binning))
    one.wait(one.tagger.settle_s)
    stream = one.tagger.stream()
    block = Decoder(stream).feed(one.run(settled=True))
    codes = [one.tagger.channel_of(number) for number in one.tagger.inputs()]
    assert set(block.channel.tolist()) == set(codes[:2])
    assert block.invalid_records == 0
    assert len(block.time_ticks) > 1000
    # Half a second of sync pulses; the last overflow record closes it to one wrap.
    assert block.end_tick * stream.tick_s == pytest.approx(0.5, abs=0.01)
    assert one.tagger.flags().words() == ()
    decays = Decays(stream)
    decays.feed(block)
    for code in codes:
        photons = np.count_nonzero(block.channel == code)
        assert decays.result().counts[code].sum() == photons


@models
def test_t2_photons(simulated: Callable[..., Any], prefix: str) -> None:
    one = simulated(prefix)
    one.tagger.configure(TaggerSettings("t2", 0.3))
    records = one.run()
    block = Decoder(one.tagger.stream()).feed(records)
    codes = [one.tagger.channel_of(number) for number in one.tagger.inputs()][:2]
    assert set(block.channel.tolist()) == set(codes)
    assert block.end_tick * one.tagger.stream().tick_s == pytest.approx(0.3, abs=0.001)
    assert (np.diff(block.time_ticks) >= 0).all()
    assert block.invalid_records == 0


def same_light(one: Any, mode: Mode) -> None:
    """Begin the same point again: the world then gives the same photons at the same times."""
    one.tagger.configure(TaggerSettings(mode, 0.4, binning=4))
    one.bench.world.begin_point("p7")
    one.wait(one.tagger.settle_s)


@models
def test_the_histogram_holds_exactly_the_delays_of_t3(
    simulated: Callable[..., Any], prefix: str
) -> None:
    one = simulated(prefix)
    same_light(one, "t3")
    stream, code = one.tagger.stream(), one.tagger.channel_of(1)
    block = Decoder(stream).feed(one.run(settled=True))
    delays = block.delay_bins[block.channel == code]
    same_light(one, "histogram")
    one.tagger.start()
    one.wait(0.2)
    assert one.tagger.running()
    one.wait(0.3)
    assert not one.tagger.running()
    one.tagger.stop()
    counts = one.tagger.read_histogram(1)
    assert len(delays) > 1000
    assert counts.tolist() == np.bincount(delays, minlength=one.tagger.histogram_bins()).tolist()


def test_an_offset_moves_the_decay(simulated: Callable[..., Any]) -> None:
    def peak_ps(settings: dict[str, Any]) -> float:
        one = simulated("MH", settings)
        one.tagger.configure(TaggerSettings("t3", 0.3, binning=2))
        one.wait(one.tagger.settle_s)
        block = Decoder(one.tagger.stream()).feed(one.run())
        delays = block.delay_bins[block.channel == 0]
        # The median moves as a whole with the decay and is sharper than the fullest bin.
        return float(np.median(delays)) * one.tagger.delay_bin_ps()

    moved_ps = peak_ps({"inputs": {1: {"offset": "20 ns"}}}) - peak_ps({})
    # Same light and noise, other offset: one bin of 20 ps at most.
    assert moved_ps == pytest.approx(20_000.0, abs=20.0)


def test_a_wrong_level_sees_nothing(simulated: Callable[..., Any]) -> None:
    one = simulated("MH", {"inputs": {1: {"level": "50 mV"}}})
    one.tagger.configure(TaggerSettings("t3", 0.1, binning=4))
    one.wait(one.tagger.settle_s)
    assert one.tagger.count_rate_hz(1) == 0.0
    assert one.tagger.count_rate_hz(2) > 0.0
    block = Decoder(one.tagger.stream()).feed(one.run())
    assert set(block.channel.tolist()) == {1}


def test_markers_are_recorded_on_the_lines_that_the_set_up_names(
    simulated: Callable[..., Any],
) -> None:
    one = simulated("HH", {"markers": {2: "rising"}})
    one.tagger.configure(TaggerSettings("t3", 0.1, binning=4))
    one.wait(one.tagger.settle_s)
    stream = one.tagger.stream()
    one.tagger.start()
    one.wait(0.05)
    one.bench.sim.fault_marker(bits=1)
    one.bench.sim.fault_marker(bits=2)
    one.wait(0.1)
    block = Decoder(stream).feed(one.tagger.read_records())
    assert block.marker_bits.tolist() == [2]
    assert block.marker_ticks[0] * stream.tick_s == pytest.approx(0.05, abs=1e-6)
    one.tagger.stop()


@models
def test_an_overrun_keeps_what_came_before(simulated: Callable[..., Any], prefix: str) -> None:
    one = simulated(prefix)
    one.tagger.configure(TaggerSettings("t3", 10.0, binning=4))
    one.wait(one.tagger.settle_s)
    stream = one.tagger.stream()
    one.tagger.start()
    one.wait(0.1)
    first = one.tagger.read_records()
    one.wait(0.1)
    one.bench.number("GetFlags")
    one.bench.sim.fault_fifo_overrun()
    one.wait(0.1)
    last = one.tagger.read_records()
    assert len(last) > 0
    assert not one.tagger.running()
    assert len(one.tagger.read_records()) == 0
    assert one.tagger.flags().words() == ("fifo_full",)
    one.tagger.stop()
    one.bench.sim.clear_faults()
    block = Decoder(stream).feed(np.concatenate([first, last]))
    # Up to the overrun, and nothing of the 10 s after it.
    assert block.end_tick * stream.tick_s == pytest.approx(0.2, abs=0.01)
    one.tagger.start()
    one.wait(0.1)
    one.tagger.read_records()
    assert one.tagger.running()
    assert one.tagger.flags().words() == ()
    one.tagger.stop()


@pytest.mark.parametrize("code", [-36, -37])
def test_errors_of_usb_by_chance_are_survived(simulated: Callable[..., Any], code: int) -> None:
    """One failure in every stage of a run; a start is spared, nobody may repeat that."""
    one = simulated("PH")
    tagger, sim = one.tagger, one.bench.sim
    sim.fault_usb_error(times=1, code=code, skip=3)
    tagger.configure(TaggerSettings("t3", 0.2, binning=4))
    one.wait(tagger.settle_s)
    sim.fault_usb_error(times=1, code=code)
    stream = tagger.stream()
    tagger.start()
    parts: list[Any] = []
    while True:
        one.wait(0.05)
        sim.fault_usb_error(times=1, code=code, skip=1)
        parts.append(tagger.read_records())
        if not len(parts[-1]) and not tagger.running():
            break
    sim.fault_usb_error(times=1, code=code)
    tagger.stop()
    block = Decoder(stream).feed(np.concatenate(parts))
    assert block.end_tick * stream.tick_s == pytest.approx(0.2, abs=0.01)
    assert tagger.flags().words() == ("transfer_repeated",)


def test_a_pulled_cable(simulated: Callable[..., Any]) -> None:
    one = simulated("MH")
    one.tagger.configure(TaggerSettings("t3", 1.0, binning=4))
    one.wait(one.tagger.settle_s)
    one.tagger.start()
    one.bench.sim.fault_unplug()
    for action in (one.tagger.read_records, one.tagger.running, one.tagger.stop):
        with pytest.raises(NoReplyError, match="check the USB cable"):
            action()
    assert not one.tagger.is_stopped()
    one.tagger.close()
    with pytest.raises(NoReplyError, match="no MultiHarp 150 or 160 found"):
        one.tagger.connect()
    one.bench.sim.clear_faults()
    one.tagger.connect()
    one.tagger.configure(TaggerSettings("t3", 0.1, binning=4))
    assert len(one.run()) > 0


@models
def test_serial_number_and_device_number(simulated: Callable[..., Any], prefix: str) -> None:
    one = simulated(prefix, device_number=5)
    serial = one.tagger.identity().serial
    assert serial == one.bench.kind.model.serial
    one.tagger.configure(TaggerSettings("t2", 0.1))
    assert len(one.run()) > 0


@models
def test_in_a_rig_on_virtual_time(bench: Callable[..., Any], prefix: str) -> None:
    kind = DRIVERS[prefix]
    config = kind.settings_type.model_validate({"serial": "42", "sync": {"level": SYNC[prefix]}})
    name = kind.__module__.removeprefix("labctl_drivers.")
    rig = bench(tcspc={"simulator": name, "settings": plain(config), "truth": {}})
    tagger: TimeTagger = kind("tcspc", rig.hand("tcspc"), config, {})
    assert tagger.connect().serial == "42"
    tagger.configure(TaggerSettings("t3", 0.1, binning=4))
    rig.clock.sleep(tagger.settle_s)
    stream = tagger.stream()
    tagger.start()
    assert tagger.running()
    rig.clock.sleep(0.2)
    assert not tagger.running()
    tagger.stop()
    records = tagger.read_records()
    assert len(records) > 0
    assert Decoder(stream).feed(records).end_tick * stream.tick_s == pytest.approx(0.1, abs=0.01)
    tagger.close()


def test_warnings_in_the_librarys_words(simulated: Callable[..., Any]) -> None:
    one = simulated("HH")
    one.tagger.configure(TaggerSettings("t3", 0.1, binning=0))
    one.wait(one.tagger.settle_s)
    one.tagger.read_sync_rate()
    # 32768 bins of 1 ps do not hold a period of 100 ns.
    assert one.tagger.warnings() == ("The sync period is longer than the time span covered.",)
    one.bench.sim.fault_lose_sync()
    assert "No pulses at the sync input." in one.tagger.warnings()
    one.tagger.start()
    one.wait(0.05)
    one.tagger.read_records()
    assert one.tagger.flags().words() == ("sync_lost",)
    one.tagger.stop()
