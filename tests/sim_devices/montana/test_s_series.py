"""Montana s-series: REST end points, both forms of writing, goals and states, faults."""

import json
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl_sim.montana import SSeries
from labctl_sim.world import World

QUIET = {"noise_at_4k_k": 0.0, "noise_at_90k_k": 0.0, "start_temperature_k": 10.0}
PLATFORM = "sampleChamber/temperatureControllers/platform/thermometer/properties/sample"
USER1 = "sampleChamber/temperatureControllers/user1"
TARGET = "controller/properties/platformTargetTemperature"


class Client:
    """Sends literal requests, reads literal responses."""

    def __init__(self, world: World, **truth: Any) -> None:
        self.device = SSeries("cryostat", world, {}, {**QUIET, **truth})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        self.sent.clear()
        self.session.receive(
            b"%s /v1/%s HTTP/1.1\r\nHost: 127.0.0.1:47101\r\nContent-Length: %d\r\n\r\n%s"
            % (method.encode(), path.encode(), len(body), body)
        )
        head, _, text = b"".join(self.sent).partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), json.loads(text) if text else None

    def get(self, path: str) -> Any:
        status, value = self.ask("GET", path)
        assert status == 200
        assert list(value) == [path.rpartition("/")[2]]
        return value[path.rpartition("/")[2]]

    def put(self, path: str, body: bytes) -> int:
        return self.ask("PUT", path, body)[0]

    def post(self, method: str) -> int:
        return self.ask("POST", f"controller/methods/{method}()")[0]

    def state(self) -> tuple[str, str]:
        root = "controller/properties"
        return self.get(f"{root}/systemGoal"), self.get(f"{root}/systemState")


@pytest.fixture
def client(world: World) -> Client:
    return Client(world)


def test_both_forms_of_writing_are_taken(client: Client) -> None:
    assert client.put(TARGET, b"4.0") == 200
    assert client.get(TARGET) == 4.0
    assert client.put(TARGET, b'{\n    "platformTargetTemperature": 6.5\n}') == 200
    assert client.get(TARGET) == 6.5


def test_brackets_may_be_escaped(client: Client) -> None:
    assert client.ask("POST", "controller/methods/abortGoal%28%29")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "detail"),
    [
        ("GET", "controller/properties/nothing", b"", 404, "no end point"),
        ("PUT", "controller/properties/systemGoal", b'"None"', 405, "PUT is not possible"),
        ("DELETE", TARGET, b"", 405, "DELETE is not possible"),
        ("GET", "controller/methods/cooldown()", b"", 405, "GET is not possible"),
        ("PUT", TARGET, b"400.0", 400, "400 is not between 0 and 350"),
        ("PUT", TARGET, b"-1", 400, "-1 is not between"),
        ("PUT", TARGET, b"NaN", 400, "nan is not between"),
        ("PUT", TARGET, b"true", 400, "True is not a number"),
        ("PUT", TARGET, b'"4 K"', 400, "'4 K' is not a number"),
        ("PUT", TARGET, b"", 400, "not JSON"),
        ("PUT", TARGET, b"{", 400, "not JSON"),
        ("PUT", f"{USER1}/properties/controllerEnabled", b"1", 400, "not true or false"),
        ("PUT", f"{USER1}/properties/pidSchedule", b"[]", 400, "a schedule has rows"),
    ],
)
def test_failures_have_a_title_and_a_detail(
    client: Client, method: str, path: str, body: bytes, status: int, detail: str
) -> None:
    got, answer = client.ask(method, path, body)
    assert got == status
    assert set(answer) == {"title", "detail"}
    assert detail in answer["detail"]


def test_outside_v1_there_is_nothing(client: Client) -> None:
    client.session.receive(b"GET /v2/ HTTP/1.1\r\nHost: h\r\n\r\n")
    assert client.sent[0].startswith(b"HTTP/1.1 404 ")


def test_the_root_lists_every_end_point(client: Client) -> None:
    status, urls = client.ask("GET", "")
    assert status == 200
    assert f"http://127.0.0.1:47101/v1/{PLATFORM}" in urls
    for url in urls:
        path = url.removeprefix("http://127.0.0.1:47101/v1/")
        if "/properties/" in path:
            client.get(path)
        else:
            assert "/methods/" in path


def test_a_sample_has_all_fields(client: Client) -> None:
    assert client.get(PLATFORM) == {
        "resistance": 100.0,
        "resistanceOK": True,
        "temperature": 10.0,
        "temperatureAvg1Sec": 10.0,
        "temperatureOK": True,
        "temperatureStability": 0.0,
        "temperatureStabilityOK": True,
        "temperatureStable": True,
    }


def test_older_firmware_has_no_average(world: World) -> None:
    assert "temperatureAvg1Sec" not in Client(world, has_one_second_average=False).get(PLATFORM)


@pytest.mark.parametrize("channel", ["user2", "cryoOptic"])
def test_a_missing_thermometer_is_not_ok(client: Client, channel: str) -> None:
    root = "sampleChamber/temperatureControllers"
    sample = client.get(f"{root}/{channel}/thermometer/properties/sample")
    assert sample["temperature"] == 0.0
    assert not any(value for name, value in sample.items() if name.endswith(("OK", "Stable")))


def test_the_pid_schedule_is_kept(client: Client) -> None:
    rows = [{"temperature": 4.0, "kc": 1.0, "ti": 2.0, "td": 0.0}]
    path = f"{USER1}/properties/pidSchedule"
    assert client.put(path, json.dumps({"rows": rows}).encode()) == 200
    assert client.get(path) == {"rows": rows}
    assert client.put(path, json.dumps({"pidSchedule": {"rows": []}}).encode()) == 200
    assert client.get(path) == {"rows": []}


def test_cold_at_start_it_holds_its_temperature(client: Client) -> None:
    assert client.state() == ("Cooldown", "StableAtTarget")


def test_a_new_target_is_acquired(client: Client, clock: VirtualClock) -> None:
    assert client.put(TARGET, b"12.0") == 200
    assert client.state() == ("Cooldown", "AcquiringTarget")
    clock.sleep(900.0)
    assert client.state() == ("Cooldown", "StableAtTarget")
    assert client.get(PLATFORM)["temperature"] == pytest.approx(12.0, abs=0.05)
    assert client.put(TARGET, b"4.0") == 200
    assert client.state() == ("Cooldown", "CoolingDown")


def test_zero_means_as_cold_as_possible(client: Client, clock: VirtualClock) -> None:
    assert client.put(TARGET, b"0") == 200
    clock.sleep(3600.0)
    assert client.get(PLATFORM)["temperature"] < 3.7
    assert client.state() == ("Cooldown", "StableAtTarget")


def test_the_sample_s_own_loop(client: Client, clock: VirtualClock) -> None:
    assert client.put(f"{USER1}/properties/targetTemperature", b"25.0") == 200
    assert client.put(f"{USER1}/properties/controllerEnabled", b"true") == 200
    clock.sleep(1200.0)
    sample = client.get(f"{USER1}/thermometer/properties/sample")
    assert sample["temperature"] == pytest.approx(25.0, abs=0.1)
    assert sample["temperatureStable"]


def test_warm_up_ends_by_itself_and_then_air_may_come_in(world: World, clock: VirtualClock) -> None:
    client = Client(world)
    assert client.get("controller/properties/canWarmup")
    assert client.post("vent") == 400
    assert client.post("warmup") == 200
    assert client.state() == ("Warmup", "WarmingUp")
    assert client.post("warmup") == 400
    clock.sleep(6 * 3600.0)
    assert client.state() == ("None", "Ready")
    assert client.post("vent") == 200
    assert client.state() == ("Vent", "Venting")
    clock.sleep(60.0)
    assert client.state() == ("None", "Ready")


def test_cool_down_from_air_pumps_purges_and_bakes_first(world: World, clock: VirtualClock) -> None:
    client = Client(world, start_temperature_k=295.0, pump_down_s=600.0)
    assert client.state() == ("None", "Ready")
    for name, body in [
        ("platformBakeoutEnabled", b"true"),
        ("platformBakeoutTime", b"1000"),
        ("dryNitrogenPurgeEnabled", b"true"),
        ("dryNitrogenPurgeNumTimes", b"2"),
    ]:
        assert client.put(f"controller/properties/{name}", body) == 200
    assert client.post("cooldown") == 200
    states: list[str] = []
    for wait_s in (0.0, 600.0, 240.0, 1000.0, 0.0):
        clock.sleep(wait_s)
        states.append(client.state()[1])
    wanted = ["Pulling Vacuum", "Purging", "BakingOut", "CoolingDown", "CoolingDown"]
    assert states == wanted
    assert not client.get("controller/properties/canCooldown")
    assert client.post("cooldown") == 400
    assert client.post("abortGoal") == 200
    assert client.state() == ("None", "Ready")


def test_an_abandoned_phase_does_not_go_on(world: World, clock: VirtualClock) -> None:
    client = Client(world, start_temperature_k=295.0)
    assert client.post("pullVacuum") == 200
    assert client.post("abortGoal") == 200
    assert client.post("cooldown") == 200
    clock.sleep(600.0)
    assert client.state() == ("Cooldown", "CoolingDown")


class TestFaults:
    def test_readings(self, client: Client) -> None:
        client.device.fault_sentinel()
        assert client.get(PLATFORM)["temperatureOK"] is False
        assert client.state()[1] == "Invalid"
        client.device.clear_faults()
        client.device.fault_nan()
        assert client.get(PLATFORM)["temperature"] is None
        assert client.get(PLATFORM)["temperatureOK"] is False

    def test_a_vacuum_trip(self, client: Client, clock: VirtualClock) -> None:
        gauge = "vacuumSystem/vacuumGauges/sampleChamberPressure/properties/pressureSample"
        assert client.get(gauge)["pressure"] < 1.0
        client.device.fault_vacuum_trip(50.0)
        clock.sleep(100.0)
        assert client.get(gauge) == {"pressure": 50.0}
        assert client.state() == ("Cooldown", "WaitingForVacuumSystem")
        assert client.get(PLATFORM)["temperature"] > 15.0
        assert client.get("cooler/cryocooler/properties/cryocoolerRunning") is False
        client.device.clear_faults()
        clock.sleep(3600.0)
        assert client.state() == ("Cooldown", "StableAtTarget")

    def test_refusing_lying_and_reset(self, client: Client) -> None:
        client.device.fault_refuse()
        assert client.put(TARGET, b"20") == 400
        client.device.fault_lie()
        assert client.put(TARGET, b"20") == 200
        assert client.get(TARGET) == 10.0
        assert client.put(TARGET, b"20") == 200
        client.device.reset()
        assert client.get(TARGET) == 0.0
        assert client.state() == ("None", "Ready")
