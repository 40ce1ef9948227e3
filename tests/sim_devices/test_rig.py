"""The rig: every simulator behind its own address, in virtual time, over real sockets."""

import copy
import json
import socket
import threading
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from labctl.clock import EventQueue, VirtualClock
from labctl_sim.manual import LampSwitch
from labctl_sim.rig import Rig

INSTRUMENTS: dict[str, Any] = {
    "cryostat": {
        "simulator": "montana.cryostation",
        "truth": {"base_temperature_k": 3.4, "start_temperature_k": 10},
    },
    "s50": {"simulator": "montana.s_series", "truth": {"start_temperature_k": 10.0}},
    "spectrograph": {
        "simulator": "princeton.spectrapro",
        "settings": {"gratings": {"1": {"lines_per_mm": 300.0}, "2": {"lines_per_mm": 1800.0}}},
        "truth": {"echo": False},
    },
    "shutter": {"simulator": "thorlabs.sc10"},
    "lamp": {"simulator": "manual.lamp"},
}


class Bench:
    """A rig in virtual time, with a socket per instrument."""

    def __init__(self, spec: dict[str, Any], run_seed: int = 0) -> None:
        self.queue = EventQueue()
        self.clock = VirtualClock(self.queue)
        self.rig = Rig(
            spec,
            now=self.queue.now,
            schedule=self.queue.schedule,
            seed=lambda *labels: run_seed * 10**9 + sum(repr(labels).encode()),
        )
        self.queue.settle = self.rig.quiesce
        self.sockets: dict[str, socket.socket] = {}

    def connect(self, instrument: str) -> socket.socket:
        _, host, port, _ = self.rig.addresses()[instrument].split("::")
        self.sockets[instrument] = socket.create_connection((host, int(port)), timeout=5.0)
        return self.sockets[instrument]

    def ask(self, instrument: str, data: bytes, within_s: float = 60.0) -> bytes:
        """Send, let virtual time run until something has come, read what there is."""
        client = self.sockets.get(instrument) or self.connect(instrument)
        client.sendall(data)
        heard = bytearray()

        def ready() -> bool:
            client.setblocking(False)
            try:
                heard.extend(client.recv(65536))
            except BlockingIOError:
                return False
            finally:
                client.settimeout(5.0)
            return True

        self.clock.wait_until(ready, deadline_s=self.clock.now() + within_s, what=instrument)
        return bytes(heard)

    def close(self) -> None:
        for client in self.sockets.values():
            client.close()
        self.rig.close()


@pytest.fixture
def spec(sample_data: dict[str, Any]) -> dict[str, Any]:
    return {
        "sample": sample_data,
        "dot": "A7",
        "memory": True,
        "laser": {"wavelength_nm": 405.0, "rep_rate_hz": 1e7},
        "instruments": copy.deepcopy(INSTRUMENTS),
    }


@contextmanager
def running(spec: dict[str, Any], run_seed: int = 0) -> Generator[Bench]:
    bench = Bench(spec, run_seed)
    try:
        bench.rig.start()
        yield bench
    finally:
        bench.close()
    assert bench.rig.errors == []


@pytest.fixture
def bench(spec: dict[str, Any]) -> Iterator[Bench]:
    with running(spec) as bench:
        yield bench


def test_every_wire_has_an_address(bench: Bench) -> None:
    addresses = bench.rig.addresses()
    assert set(addresses) == {"cryostat", "s50", "spectrograph", "shutter"}
    assert addresses["s50"].startswith("http://127.0.0.1:")
    for name in ("cryostat", "spectrograph", "shutter"):
        kind, host, port, what = addresses[name].split("::")
        assert (kind, host, what) == ("TCPIP", "127.0.0.1", "SOCKET")
        assert int(port) > 0


def test_a_goto_takes_exactly_its_virtual_time(bench: Bench) -> None:
    assert bench.ask("spectrograph", b"NO-ECHO\r") == b" ok\r\n"
    before_s = bench.clock.now()
    assert bench.ask("spectrograph", b"500 GOTO\r") == b" ok\r\n"
    travel_s, reply_s = 500.0 / 200.0 + 0.1, 5 * 10 / 9600
    assert bench.clock.now() - before_s == pytest.approx(travel_s + reply_s, abs=1e-9)
    assert bench.rig.world.spectrograph.centre_nm == 500.0


def test_a_silent_device_costs_virtual_time_only(bench: Bench) -> None:
    bench.rig.inject("cryostat", "hang")
    assert bench.ask("cryostat", b"03GPT", within_s=500.0) == b""
    assert bench.clock.now() == 500.0
    bench.rig.inject("cryostat", "clear")
    assert bench.ask("cryostat", b"03GAS") == b"01F"


def test_rest_is_answered_at_once(bench: Bench) -> None:
    url = bench.rig.addresses()["s50"] + "/v1/controller/properties/systemGoal"
    with urllib.request.urlopen(url, timeout=5.0) as reply:
        assert json.load(reply) == {"systemGoal": "Cooldown"}
    assert bench.clock.now() == 0.0


def test_one_world_behind_all(bench: Bench) -> None:
    table = bench.rig.world.table
    assert table.laser_on
    assert not table.shutter_open
    assert bench.ask("shutter", b"ens\r") == b"ens\r"
    bench.clock.sleep(0.1)
    assert table.shutter_open
    bench.ask("spectrograph", b"EXIT-MIRROR SIDE\r")
    assert bench.rig.world.spectrograph.exit == "side"


def test_what_no_instrument_controls_is_on(spec: dict[str, Any]) -> None:
    del spec["instruments"]["shutter"]
    with running(spec) as bench:
        assert bench.rig.world.table.excitation.mean(0.0, 0.0) == 1.0


def test_a_hand_on_the_lamp(bench: Bench) -> None:
    hand = bench.rig.library("lamp")
    assert isinstance(hand, LampSwitch)
    hand.turn_on("neon")
    assert bench.rig.call("lamp", "state", []) == "neon"
    with pytest.raises(ValueError, match="reached by its address"):
        bench.rig.library("cryostat")
    with pytest.raises(KeyError, match="no instrument 'lamb'; there are cryostat"):
        bench.rig.call("lamb", "state", [])


def test_noise_depends_on_the_seed_and_not_on_polling(spec: dict[str, Any]) -> None:
    def temperatures(run_seed: int, polls: int) -> list[bytes]:
        with running(spec, run_seed) as bench:
            seen: list[bytes] = []
            for number in range(5):
                bench.rig.begin_point(f"p{number}")
                for _ in range(polls):
                    bench.ask("cryostat", b"03GST")
                    bench.ask("spectrograph", b"?NM\r")
                bench.clock.sleep(10.0 * (number + 1) - bench.clock.now())
                seen.append(bench.ask("cryostat", b"03GPT"))
            return seen

    first = temperatures(0, 0)
    assert len(set(first)) > 1
    assert temperatures(0, 0) == first
    assert temperatures(0, 4) == first
    assert temperatures(1, 0) != first


def test_disconnect_and_come_back(bench: Bench) -> None:
    bench.ask("cryostat", b"03GAS")
    bench.rig.inject("cryostat", "disconnect", for_s=20.0)
    assert bench.sockets["cryostat"].recv(10) == b""
    bench.sockets["cryostat"].close()
    client = bench.connect("cryostat")
    bench.rig.quiesce()
    assert client.recv(10) == b""
    client.close()
    bench.clock.sleep(20.0)
    bench.connect("cryostat")
    assert bench.ask("cryostat", b"03GAS") == b"01F"


def test_a_late_reply_comes_after_its_time(bench: Bench) -> None:
    bench.rig.inject("cryostat", "late", delay_s=3.0, command="GPT")
    assert bench.ask("cryostat", b"03GAS") == b"01F"
    assert bench.ask("cryostat", b"03GPT", within_s=2.0) == b""
    assert bench.ask("cryostat", b"03GAS", within_s=2.0)[:2] == b"06"


def test_garbled_replies_repeat(spec: dict[str, Any]) -> None:
    def replies() -> list[bytes]:
        with running(spec) as bench:
            bench.rig.inject("cryostat", "garble", times=None)
            return [bench.ask("cryostat", b"04GTSP") for _ in range(5)]

    first = replies()
    assert b"0510.00" not in first
    assert replies() == first


def test_simulators_own_faults_are_reached(bench: Bench) -> None:
    bench.rig.inject("cryostat", "vacuum_trip", pressure_pa=10.0)
    assert bench.ask("cryostat", b"03GAS") == b"01T"
    bench.rig.inject("lamp", "dark")
    bench.rig.call("lamp", "turn_on", ["neon"])
    assert bench.rig.call("lamp", "state", []) is None
    with pytest.raises(ValueError, match="cryostat has no fault 'vacum_trip'; did you mean"):
        bench.rig.inject("cryostat", "vacum_trip")
    with pytest.raises(KeyError, match="no instrument 'cryo'"):
        bench.rig.inject("cryo", "hang")


def test_a_library_call_that_hangs_returns_when_the_rig_closes(spec: dict[str, Any]) -> None:
    with running(spec) as bench:
        bench.rig.inject("lamp", "hang")
        caller = threading.Thread(target=lambda: bench.rig.call("lamp", "state", []))
        caller.start()
        caller.join(0.1)
        assert caller.is_alive()
    caller.join(5.0)
    assert not caller.is_alive()


def scheduled(spec: dict[str, Any], instrument: str, *faults: dict[str, Any]) -> dict[str, Any]:
    spec["instruments"][instrument]["faults"] = list(faults)
    return spec


def test_faults_of_the_spec_come_at_their_time(spec: dict[str, Any]) -> None:
    hang = {"kind": "hang", "after_s": 100.0, "parameters": {"for_s": 30.0}}
    with running(scheduled(spec, "cryostat", hang, {"kind": "alarm", "after_s": 200})) as bench:
        assert bench.ask("cryostat", b"03GAS") == b"01F"
        bench.clock.sleep(99.5)
        assert bench.ask("cryostat", b"03GAS") == b"01F"
        bench.clock.sleep(1.0)
        assert bench.ask("cryostat", b"03GAS", within_s=5.0) == b""
        bench.clock.sleep(30.0)
        assert bench.ask("cryostat", b"03GAS") == b"01F"
        assert bench.clock.now() == pytest.approx(135.5)
        bench.clock.sleep(65.0)
        assert bench.ask("cryostat", b"03GAS") == b"01T"


def test_a_fault_from_the_start_is_there_before_anybody_connects(spec: dict[str, Any]) -> None:
    with running(scheduled(spec, "lamp", {"kind": "dark"})) as bench:
        bench.rig.call("lamp", "turn_on", ["neon"])
        assert bench.rig.call("lamp", "state", []) is None
        assert bench.clock.now() == 0.0


def test_faults_to_come_end_with_the_rig(spec: dict[str, Any]) -> None:
    with running(scheduled(spec, "cryostat", {"kind": "hang", "after_s": 1000.0})) as bench:
        assert bench.queue.next_s() == 1000.0
    assert bench.queue.next_s() is None


def test_a_parameter_that_the_simulator_refuses_is_an_error_of_the_rig(
    spec: dict[str, Any],
) -> None:
    fault = {"kind": "nan", "after_s": 1.0, "parameters": {"channel": "roof"}}
    bench = Bench(scheduled(spec, "cryostat", fault))
    bench.rig.start()
    bench.clock.sleep(2.0)
    bench.close()
    (error,) = bench.rig.errors
    assert "channel 'roof' is none of" in str(error)


def test_kinds_of_fault_are_listed_with_their_parameters() -> None:
    kinds = Rig.fault_parameters("montana.cryostation")
    assert kinds["hang"] == ("for_s",)
    assert kinds["late"] == ("delay_s", "times", "after", "command")
    assert kinds["vacuum_trip"] == ("pressure_pa",)
    assert kinds["clear"] == kinds["alarm"] == kinds["reset"] == ()
    by_library = Rig.fault_parameters("princeton.picam")
    assert "late" not in by_library
    assert by_library["drop_frames"] == ("count",)
    with pytest.raises(KeyError, match=r"no simulator 'princeton\.picm'"):
        Rig.fault_parameters("princeton.picm")


@pytest.mark.parametrize("simulator", ["montana.cryostation", "manual.lamp", "thorlabs.sc10"])
def test_the_listed_kinds_are_those_that_can_be_injected(
    spec: dict[str, Any], simulator: str
) -> None:
    spec["instruments"] = {"device": {"simulator": simulator}}
    bench = Bench(spec)
    with pytest.raises(ValueError, match="has no fault 'none'") as raised:
        bench.rig.inject("device", "none")
    bench.close()
    assert str(raised.value).endswith("there are " + ", ".join(Rig.fault_parameters(simulator)))


def test_a_recorded_spectrum_shines(spec: dict[str, Any]) -> None:
    spec["spectrum"] = {"wavelength_nm": [530.0, 531.0, 532.0], "electrons_per_s": [1.0, 8.0, 1.0]}
    spec["instruments"]["camera"] = {"simulator": "princeton.picam"}
    del spec["instruments"]["shutter"]
    with running(spec) as bench:
        bench.ask("spectrograph", b"531 GOTO\r")
        bench.clock.sleep(10.0)
        assert float(bench.rig.world.electron_rate_per_pixel().sum()) == pytest.approx(10.0)


def test_select_dot_and_truth(bench: Bench) -> None:
    bench.rig.select_dot("B2")
    truth = bench.rig.truth()
    assert truth["dot"] == "B2"
    assert truth["instruments"]["cryostat"]["base_temperature_k"] == 3.4
    assert truth["instruments"]["cryostat"]["decimal_comma"] is False
    assert truth["laser"]["wavelength_nm"] == 405.0


def test_a_fixed_port_and_one_that_is_taken(spec: dict[str, Any]) -> None:
    with running(spec) as bench:
        taken = int(bench.rig.addresses()["cryostat"].split("::")[2])
        spec["instruments"]["shutter"]["port"] = taken
        second = Bench(spec)
        with pytest.raises(OSError, match=f"shutter: port {taken} cannot be opened"):
            second.rig.start()
        second.close()
    with running(spec) as bench:
        assert bench.rig.addresses()["shutter"] == f"TCPIP::127.0.0.1::{taken}::SOCKET"


def test_closing_twice_and_closing_unstarted(spec: dict[str, Any]) -> None:
    unstarted = Bench(spec)
    unstarted.close()
    with running(spec) as bench:
        bench.ask("cryostat", b"03GAS")
        bench.close()


def set_at(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(spec: dict[str, Any]) -> None:
        for key in path[:-1]:
            spec = spec[key]
        spec[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (set_at("smaple", value={}), ("smaple",), "unknown key 'smaple'; did you mean 'sample'?"),
        (set_at("dot", value="A8"), ("dot",), "the sample has no dot 'A8'; there are A7, B2"),
        (set_at("laser", value=3), ("laser",), "must be a block of numbers"),
        (set_at("laser", "power_w", value=3), ("laser", "power_w"), "unknown key 'power_w'"),
        (set_at("laser", "rep_rate_hz", value="10"), ("laser", "rep_rate_hz"), "not a number"),
        (set_at("instruments", value=[]), ("instruments",), "must map names to blocks"),
        (set_at("instruments", "x", value=1), ("instruments", "x"), "must be a block"),
        (set_at("instruments", "x", value={}), ("instruments", "x"), "'simulator' is missing"),
        (
            set_at("instruments", "x", value={"simulator": "montana.cryostatoin"}),
            ("instruments", "x", "simulator"),
            "no simulator 'montana.cryostatoin'; did you mean 'montana.cryostation'?",
        ),
        (
            set_at("instruments", "shutter", "port", value=70000),
            ("instruments", "shutter", "port"),
            "70000 is not a port number",
        ),
        (
            set_at("instruments", "shutter", "truht", value={}),
            ("instruments", "shutter", "truht"),
            "did you mean 'truth'?",
        ),
        (
            set_at("instruments", "cryostat", "truth", "base_temp_k", value=3.0),
            ("instruments", "cryostat", "truth", "base_temp_k"),
            "did you mean 'base_temperature_k'?",
        ),
        (
            set_at("instruments", "cryostat", "truth", "base_temperature_k", value="cold"),
            ("instruments", "cryostat", "truth", "base_temperature_k"),
            "'cold' is not of the kind of 3.2",
        ),
        (
            set_at("instruments", "spectrograph", "truth", "echo", value=1),
            ("instruments", "spectrograph", "truth", "echo"),
            "not of the kind of True",
        ),
        (
            set_at("instruments", "spectrograph", "truth", "installed", value="300, 18OO"),
            ("instruments", "spectrograph", "truth", "installed"),
            "'18oo' is no grating; write 300/500",
        ),
        (
            set_at("instruments", "lamp", "truth", value={"x": 1}),
            ("instruments", "lamp", "truth", "x"),
            "there are none",
        ),
        (
            set_at("instruments", "shutter", "truth", value={"blocks": "apd_1"}),
            ("instruments", "shutter", "truth", "blocks"),
            "there is no detector 'apd_1'; there are excitation, detectors",
        ),
        (set_at("spectrum", value=3), ("spectrum",), "must be a block with wavelength_nm"),
        (
            set_at("spectrum", value={"wavelength_nm": [1, 2], "electrons_per_s": [1, -2]}),
            ("spectrum", "electrons_per_s"),
            "must not be negative",
        ),
        (
            set_at("instruments", "lamp", "faults", value=[{"kind": "drak"}]),
            ("instruments", "lamp", "faults", 0, "kind"),
            "there is no fault 'drak'; did you mean 'dark'? there are clear, dark, hang",
        ),
        (
            set_at("instruments", "lamp", "faults", value=[{"kind": "drop"}]),
            ("instruments", "lamp", "faults", 0, "kind"),
            "there is no fault 'drop'; there are clear, dark, hang",
        ),
        (
            set_at("instruments", "cryostat", "faults", value=[{"kind": "late"}]),
            ("instruments", "cryostat", "faults", 0, "parameters"),
            "fault 'late': missing a required argument: 'delay_s'; its parameters are delay_s,",
        ),
        (
            set_at(
                *("instruments", "cryostat", "faults"),
                value=[{"kind": "alarm", "parameters": {"for_s": 1.0}}],
            ),
            ("instruments", "cryostat", "faults", 0, "parameters"),
            "unexpected keyword argument 'for_s'; its parameters are none",
        ),
        (
            set_at("instruments", "lamp", "faults", value=[{"kind": "dark", "after_s": -1}]),
            ("instruments", "lamp", "faults", 0, "after_s"),
            "-1 is not a time from the start",
        ),
        (
            set_at("instruments", "lamp", "faults", value=[{"kind": "dark", "at_s": 1}]),
            ("instruments", "lamp", "faults", 0, "at_s"),
            "unknown key 'at_s'",
        ),
        (
            set_at("instruments", "lamp", "faults", value=["dark"]),
            ("instruments", "lamp", "faults", 0),
            "must be a block with the key 'kind'",
        ),
        (
            set_at("instruments", "lamp", "faults", value="dark"),
            ("instruments", "lamp", "faults"),
            "must be a list of faults",
        ),
        (
            set_at("instruments", "lamp", "truth", value=3),
            ("instruments", "lamp", "truth"),
            "must be a block",
        ),
    ],
)
def test_problems_have_a_path_and_a_hint(
    spec: dict[str, Any],
    change: Callable[[dict[str, Any]], None],
    path: tuple[str | int, ...],
    message: str,
) -> None:
    assert Rig.check(spec) == []
    spec = copy.deepcopy(spec)
    change(spec)
    (problem,) = Rig.check(spec)
    assert problem[0] == path
    assert message in problem[1]
    with pytest.raises(ValueError, match=r"\.".join(map(str, path))):
        Bench(spec)


def test_all_problems_come_at_once(spec: dict[str, Any]) -> None:
    broken = {"laser": spec["laser"], "instruments": {"a": {}, "b": {"simulator": "none"}}}
    paths = [path for path, _ in Rig.check(broken)]
    assert paths == [(), (), ("instruments", "a"), ("instruments", "b", "simulator")]
    spec["sample"] = {**spec["sample"], "colour": "green"}
    ((path, message),) = Rig.check(spec)
    assert path == ("sample", "colour")
    assert "colour" in message
