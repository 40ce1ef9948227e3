"""Legacy Cryostation: byte tables from the specification's facts, states, faults."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labctl.clock import EventQueue, VirtualClock
from labctl_sim.montana import Cryostation
from labctl_sim.montana._frames import FrameReader, UnframedError, frame
from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World

QUIET = {"noise_at_4k_k": 0.0, "noise_at_90k_k": 0.0, "start_temperature_k": 10.0}


class Bench:
    """A cryostation, one client and time."""

    def __init__(self, clock: VirtualClock, world: World, **truth: Any) -> None:
        self.clock = clock
        self.device = Cryostation("cryostat", world, {}, {**QUIET, **truth})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, data: bytes, size: int | None = None) -> bytes:
        """Send bytes in pieces, wait a second, give what came back."""
        self.sent.clear()
        step = size or len(data)
        for start in range(0, len(data), step):
            self.session.receive(data[start : start + step])
        self.clock.sleep(1.0)
        return b"".join(self.sent)


@pytest.fixture
def make(clock: VirtualClock, world: World) -> Callable[..., Bench]:
    def make(**truth: Any) -> Bench:
        return Bench(clock, world, **truth)

    return make


EXCHANGES = [
    ("GAS", "F"),
    ("GTSP", "10.00"),
    ("STSP 10.00", "OK, Temperature Set Point = 10.00"),
    ("STSP 4.20", "OK, Temperature Set Point = 4.20"),
    ("STSP10", "OK, Temperature Set Point = 10.00"),
    ("STSP10.0", "OK, Temperature Set Point = 10.00"),
    ("STSP 1.99", "Error: Invalid set point"),
    ("STSP 351", "Error: Invalid set point"),
    ("STSP abc", "Error: Invalid set point"),
    ("STSP nan", "Error: Invalid set point"),
    ("STSP", "Error: Invalid set point"),
    ("SCD", "OK"),
    ("SWU", "OK"),
    ("SSB", "OK"),
    ("STP", "OK"),
    ("GUT", "-0.100"),
    ("GUS", "-0.10000"),
    ("GPIDK", "0.300"),
    ("SPIDK 0.300", "OK, Gain = 0.300, Freq = 0.100, Time = 0.100"),
    ("SPIDF 0.250", "OK, Gain = 0.300, Freq = 0.250, Time = 0.100"),
    ("SPIDK 0.000", "Error: Invalid PID parameter"),
    ("SPIDT -1", "Error: Invalid PID parameter"),
    ("RPID", "OK, Gain = 0.300, Freq = 0.100, Time = 0.100"),
    ("SPHP 0.5000", "OK, Platform Heater Power = 0.5000"),
    ("GMTF", "-9.999999"),
    ("*IDN?", "Error: Invalid command."),
    ("gpt", "Error: Invalid command."),
    ("", "Error: Invalid command."),
    ("SME", "System not able to execute command at this time. Activate the magnet module first. "),
]


def wire(text: str) -> bytes:
    """Put two digits of length before a text."""
    return b"%02d%s" % (len(text), text.encode())


@pytest.mark.parametrize(("command", "reply"), EXCHANGES)
def test_exchanges_whole_byte_by_byte_and_with_trailing_bytes(
    make: Callable[..., Bench], command: str, reply: str
) -> None:
    for size in (None, 1):
        assert make().ask(wire(command), size) == wire(reply)
    bench = make()
    assert bench.ask(wire(command) + b"03G") == wire(reply)
    assert bench.ask(b"AS") == b"01F"


def test_literal_frames() -> None:
    assert frame("54.201") == b"0654.201"
    assert frame("Error: Invalid command.") == b"23Error: Invalid command."
    assert frame("OK, Temperature Set Point = 10.00") == b"33OK, Temperature Set Point = 10.00"
    assert frame("System not able to cooldown at this time")[:2] == b"40"
    assert frame("System not able to warmup at this time")[:2] == b"38"
    assert frame("System not able to standby at this time")[:2] == b"39"
    with pytest.raises(ValueError, match="at most 99"):
        frame("x" * 100)


def test_readings_have_the_documented_number_of_decimals(make: Callable[..., Bench]) -> None:
    bench = make()
    wanted = {b"GPT": 3, b"GST": 3, b"GS1T": 2, b"GS2T": 2, b"GPS": 5, b"GSS": 5, b"GCP": 1}
    for verb, decimals in (wanted | {b"GPHP": 3, b"GS1HP": 3, b"GTSP": 2}).items():
        reply = bench.ask(b"%02d%s" % (len(verb), verb))
        assert int(reply[:2]) == len(reply) - 2
        assert len(reply.partition(b".")[2]) == decimals
    assert bench.ask(b"03GPT") == b"0610.000"


def test_several_commands_in_one_packet_are_answered_in_order(make: Callable[..., Bench]) -> None:
    assert make().ask(b"03GAS04GTSP03GUT") == b"01F0510.0006-0.100"


def test_a_reply_takes_its_time(make: Callable[..., Bench], clock: VirtualClock) -> None:
    bench = make(reply_delay_s=0.5)
    bench.session.receive(b"03GAS")
    clock.sleep(0.49)
    assert bench.sent == []
    clock.sleep(0.02)
    assert bench.sent == [b"01F"]


def test_without_digits_the_rest_is_dropped(make: Callable[..., Bench]) -> None:
    bench = make()
    assert bench.ask(b"GPT\r\n") == b"23Error: Invalid command."
    assert bench.ask(b"03GAS") == b"01F"


def test_the_decimal_comma_of_the_laptop(make: Callable[..., Bench]) -> None:
    bench = make(decimal_comma=True)
    assert bench.ask(b"03GPT") == b"0610,000"
    assert bench.ask(b"09STSP 4,20") == b"32OK, Temperature Set Point = 4,20"
    assert bench.ask(b"03GPS").startswith(b"070,0")
    assert bench.ask(b"05GPIDX") == b"23Error: Invalid command."


def test_no_sample_thermometer_reads_minus_a_tenth(make: Callable[..., Bench]) -> None:
    bench = make(sample_thermometer_fitted=False)
    assert bench.ask(b"03GST") == b"06-0.100"
    assert bench.ask(b"03GSS") == b"08-0.10000"
    assert bench.ask(b"03GPT") == b"0610.000"


def test_without_external_control_a_client_is_sent_away(make: Callable[..., Bench]) -> None:
    bench = make(external_control=False)
    assert bench.sent == [b""]


def test_pid_getters_can_be_missing(make: Callable[..., Bench]) -> None:
    assert make(pid_getters_work=False).ask(b"05GPIDF") == b"23Error: Invalid command."


def test_with_a_magnet(make: Callable[..., Bench]) -> None:
    bench = make(magnet_fitted=True)
    assert bench.ask(b"03GMS") == b"15MAGNET DISABLED"
    assert bench.ask(b"03SME") == b"14MAGNET ENABLED"
    assert b"OK" in bench.ask(b"13SMTF 0.670000")
    assert bench.ask(b"04GMTF") == b"080.670000"


def test_a_new_set_point_is_reached_and_becomes_stable(
    make: Callable[..., Bench], world: World, clock: VirtualClock
) -> None:
    bench = make()
    bench.ask(b"10STSP 20.00")
    assert float(bench.ask(b"03GPT")[2:]) < 12.0
    clock.sleep(900.0)
    assert float(bench.ask(b"03GPT")[2:]) == pytest.approx(20.0, abs=0.05)
    assert float(bench.ask(b"03GPS")[2:]) < 0.02
    assert world.thermal.sample_k() == pytest.approx(20.0, abs=0.1)
    assert float(bench.ask(b"04GPHP")[2:]) > 0.0


def test_a_set_point_below_base_is_accepted_and_never_reached(
    make: Callable[..., Bench], clock: VirtualClock
) -> None:
    bench = make(base_temperature_k=3.4)
    assert bench.ask(b"09STSP 2.00").startswith(b"32OK")
    clock.sleep(7200.0)
    assert 3.3 < float(bench.ask(b"03GPT")[2:]) < 3.8


@pytest.mark.parametrize("goal", [b"03SWU", b"03STP"])
def test_warm_up_and_stop(make: Callable[..., Bench], clock: VirtualClock, goal: bytes) -> None:
    bench = make()
    assert bench.ask(goal) == b"02OK"
    clock.sleep(1200.0)
    kelvin = float(bench.ask(b"03GPT")[2:])
    assert kelvin > 12.0 if goal == b"03SWU" else kelvin < 10.0


def test_what_the_state_forbids(make: Callable[..., Bench]) -> None:
    bench = make(start_temperature_k=295.0)
    assert bench.ask(b"03SWU") == b"38System not able to warmup at this time"
    assert bench.ask(b"03SSB") == b"39System not able to standby at this time"
    bench.device.fault_vacuum_trip()
    assert bench.ask(b"03SCD") == b"40System not able to cooldown at this time"
    assert bench.ask(b"03GAS") == b"01T"


def test_polling_changes_no_reading(sample_data: dict[str, Any]) -> None:
    def last_reading(polls: int) -> bytes:
        clock = VirtualClock(queue := EventQueue())
        world = World(
            sample=load_sample(sample_data),
            dot="A7",
            laser=LaserTruth(),
            now=queue.now,
            schedule=queue.schedule,
            seed=lambda *labels: len(repr(labels)),
        )
        bench = Bench(clock, world, noise_at_4k_k=0.005, noise_at_90k_k=0.02)
        for _ in range(polls):
            bench.ask(b"03GPT03GPS")
        clock.sleep(30.0 - clock.now())
        return bench.ask(b"03GPT03GST03GPS")

    assert last_reading(0) == last_reading(20)


class TestFaults:
    def test_sentinel_nan_and_stale(self, make: Callable[..., Bench], clock: VirtualClock) -> None:
        bench = make()
        bench.device.fault_sentinel(for_s=10.0)
        assert bench.ask(b"03GPT") == b"06-0.100"
        assert bench.ask(b"03GPS") == b"08-0.10000"
        clock.sleep(10.0)
        assert bench.ask(b"03GPT") == b"0610.000"
        bench.device.fault_nan("platform")
        assert bench.ask(b"03GPT") == b"03NaN"
        assert bench.ask(b"03GST") == b"0610.000"
        bench.device.clear_faults()
        bench.device.fault_stale()
        bench.ask(b"10STSP 40.00")
        clock.sleep(600.0)
        assert bench.ask(b"03GPT") == b"0610.000"
        bench.device.clear_faults()
        assert float(bench.ask(b"03GPT")[2:]) > 30.0

    def test_no_settling_swings_by_its_amplitude(self, make: Callable[..., Bench]) -> None:
        bench = make()
        bench.device.fault_no_settling(amplitude_k=0.5, period_s=40.0)
        readings = [float(bench.ask(b"03GPT")[2:]) for _ in range(40)]
        assert max(readings) - min(readings) == pytest.approx(1.0, abs=0.02)
        assert float(bench.ask(b"03GPS")[2:]) == pytest.approx(1.0, abs=0.02)

    def test_a_vacuum_trip_warms_the_sample_and_ends(
        self, make: Callable[..., Bench], clock: VirtualClock, world: World
    ) -> None:
        bench = make()
        bench.device.fault_vacuum_trip(pressure_pa=100.0)
        clock.sleep(300.0)
        assert bench.ask(b"03GCP") == b"05750.1"
        assert bench.ask(b"04GPHP") == b"050.000"
        assert float(bench.ask(b"03GPT")[2:]) > 20.0
        assert bench.ask(b"10STSP 15.00").startswith(b"33OK")
        bench.device.clear_faults()
        assert bench.ask(b"03GAS") == b"01F"
        assert world.thermal.target_k == 15.0

    def test_lie_refuse_alarm_comma_and_reset(self, make: Callable[..., Bench]) -> None:
        bench = make()
        bench.device.fault_lie()
        assert bench.ask(b"10STSP 20.00") == b"33OK, Temperature Set Point = 20.00"
        assert bench.ask(b"04GTSP") == b"0510.00"
        bench.device.fault_refuse()
        assert bench.ask(b"10STSP 20.00") == b"24Error: Invalid set point"
        assert bench.ask(b"10STSP 20.00") == b"33OK, Temperature Set Point = 20.00"
        bench.device.fault_alarm()
        assert bench.ask(b"03GAS") == b"01T"
        bench.device.fault_decimal_comma()
        assert bench.ask(b"04GTSP") == b"0520,00"
        bench.device.clear_faults()
        assert bench.ask(b"03GAS04GTSP") == b"01F0520.00"
        bench.device.reset()
        assert bench.ask(b"04GTSP") == b"044.20"

    def test_wrong_channel(self, make: Callable[..., Bench]) -> None:
        with pytest.raises(ValueError, match="channel 'stage' is none of platform, sample, all"):
            make().device.fault_nan("stage")


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=99), max_size=6), st.data())
def test_framing_finds_the_same_texts_however_they_are_cut(
    texts: list[str], data: st.DataObject
) -> None:
    wire = b"".join(frame(text) for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    reader = FrameReader()
    found: list[str] = []
    for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        reader.feed(wire[start:stop])
        while (text := reader.next_text()) is not None:
            found.append(text)
    assert found == texts


@given(st.binary(max_size=200))
def test_any_bytes_are_framed_or_refused(data: bytes) -> None:
    reader = FrameReader()
    reader.feed(data)
    try:
        while (text := reader.next_text()) is not None:
            assert len(text) <= 99
    except UnframedError:
        assert reader.next_text() is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="ascii"), max_size=99) | st.from_regex(r"STSP ?-?[0-9.,]+"))
def test_any_command_has_an_answer_that_fits(world: World, command: str) -> None:
    answer = Cryostation("c", world, {}, QUIET).dialect.answer(command)
    assert 0 < len(answer) <= 99
    if answer.startswith("OK, Temperature"):
        assert 2.0 <= float(answer.rpartition(" ")[2]) <= 350.0
