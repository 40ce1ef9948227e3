"""Other projects' unmodified clients against the simulators, on a wall clock ten times faster."""

import json
import re
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from labctl.clock import RealClock
from labctl_sim.rig import Rig

HERE = Path(__file__).parent
SPEC: dict[str, Any] = {
    "sample": {
        "schema_version": 1,
        "name": "one dot",
        "composition": "CsPbBr3",
        "dots": {"A7": {"edge_length": "23 nm", "lifetime": "100 ps"}},
    },
    "dot": "A7",
    "instruments": {
        "anc300": {"simulator": "attocube.anc300"},
        "anc300_serial": {"simulator": "attocube.anc300", "truth": {"password": ""}},
        "anc350": {"simulator": "attocube.anc350"},
        "cryostation": {"simulator": "montana.cryostation"},
        "esp300": {"simulator": "newport.esp300"},
        "lakeshore": {"simulator": "lakeshore.model336"},
        "k2400": {"simulator": "keithley.k2400", "truth": {"leakage_gohm": 10.0}},
        "k2450": {"simulator": "keithley.k2450", "truth": {"leakage_gohm": 10.0}},
        "mirror": {"simulator": "thorlabs.mff101"},
        "power_meter": {"simulator": "thorlabs.pm100d"},
        "ell14": {"simulator": "thorlabs.ell14"},
        "k10cr1": {"simulator": "thorlabs.k10cr1"},
        "s50": {"simulator": "montana.s_series"},
        "motorised": {
            "simulator": "princeton.spectrapro",
            "settings": {"gratings": {"1": {"lines_per_mm": 300}, "2": {"lines_per_mm": 1800}}},
            "truth": {"entrance_slit_motor": True, "entrance_slit_um": 480.0},
        },
        "spectrapro": {
            "simulator": "princeton.spectrapro",
            "settings": {"gratings": {"1": {"lines_per_mm": 300}, "2": {"lines_per_mm": 1800}}},
        },
        "superk": {"simulator": "nkt.superk"},
        "wheel": {"simulator": "thorlabs.fw102c", "truth": {"acts_on": "detection"}},
        "shutter": {"simulator": "thorlabs.sc10"},
        "led": {"simulator": "thorlabs.dc2200"},
    },
}
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([^']+)'")
LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal")


@contextmanager
def running_rig() -> Generator[Rig]:
    """Give a running rig; no handler may have failed at the end."""
    clock = RealClock(speed=10.0)
    rig = Rig(
        SPEC,
        now=clock.now,
        schedule=clock.schedule,
        seed=lambda *labels: sum(repr(labels).encode()),
    )
    rig.start()
    try:
        yield rig
    finally:
        rig.close()
        clock.close()
    assert rig.errors == []


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Give a running rig to a test."""
    with running_rig() as found:
        yield found


def run(python: Path, name: str, rig: Rig, instrument: str) -> dict[str, Any]:
    """Run a client against an instrument; give what it printed last."""
    address = rig.addresses()[instrument]
    if address.startswith("http"):
        parts = urlsplit(address)
        host, port = str(parts.hostname), str(parts.port)
    else:
        _, host, port, _ = address.split("::")
    done = subprocess.run(
        [str(python), str(HERE / f"{name}.py"), host, port],
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
    )
    missing = _MISSING.search(done.stderr)
    if missing:
        pytest.skip(f"{python} does not have {missing[1]}, see tests/clients/requirements*.txt")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_qmi_and_the_legacy_cryostation(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_qmi_cryostation", rig, "cryostation")
    assert got["platform_k"] == pytest.approx(4.0, abs=0.1)
    assert got["sample_k"] == pytest.approx(4.0, abs=0.1)
    assert 0.0 <= got["stability_k"] < 0.1
    assert got["alarm"] is False
    assert got["magnet"] is None
    assert got["gain"] == 0.3
    assert got["set_point_k"] == 12.5
    assert rig.world.thermal.target_k == 12.5


def test_qcodes_and_the_legacy_cryostation(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_qcodes_cryostation", rig, "cryostation")
    assert got["platform_k"] == pytest.approx(4.0, abs=0.1)
    assert got["set_point_k"] == 11.0


def test_the_maker_s_own_library_and_the_s_series(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_scryostation", rig, "s50")
    assert got["up"] is True
    assert got["goal"] == "Cooldown"
    assert got["platform"] == [True, pytest.approx(4.0, abs=0.1)]
    assert got["user2"][0] is False
    assert got["channels"] == ["cryoOptic", "platform", "stage1", "stage2", "user1", "user2"]
    assert got["target_k"] == 14.0
    assert got["refusal"] == "ApiError: POST: 400: Not possible now"
    assert got["goal_after"] == "Warmup"


@pytest.mark.parametrize(
    ("client", "instrument"),
    [
        ("client_pylablib_anc300", "anc300"),
        ("client_pylablib_anc300_serial", "anc300_serial"),
    ],
)
def test_pylablib_and_the_anc300(
    clients_python: Path, rig: Rig, client: str, instrument: str
) -> None:
    got = run(clients_python, client, rig, instrument)
    assert got["info"][0] == "ANC300B-C-1514-3006076"
    assert (got["axes"], got["serial"][:6]) == ([1, 2, 3], "ANM300")
    assert (got["voltage_v"], got["frequency_hz"]) == (25.5, 200.0)
    assert (got["moving"], got["moving_after"]) == (True, False)
    # Measuring the capacitance ends grounded.
    assert got["modes"] == ["stp", "off", "gnd"]
    assert 100.0 < got["capacitance_nf"] < 1200.0
    assert (got["offset_v"], got["output_v"]) == (12.0, 12.0)
    assert (got["pattern"], got["trigger"]) == (256, [3, "off"])
    assert got["refusal"] == "Value out of range"
    assert rig.world.stage_um is not None
    assert rig.world.stage_um[0] > 5.0


def test_pymeasure_and_the_anc300(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pymeasure_anc300", rig, "anc300")
    assert (got["serial"], got["module"][:6]) == ("ANC300B-C-1514-3006076", "ANM300")
    assert (got["voltage_v"], got["frequency_hz"]) == (25.0, 200)
    assert (got["mode"], got["mode_after"]) == ("gnd", "gnd")
    assert 100.0 < got["capacitance_nf"] < 1200.0
    assert (got["output_v"], got["grounded"]) == (12.0, ["gnd"] * 3)
    assert "Axis in wrong mode" in got["refusal"]
    assert rig.world.stage_um is not None
    assert rig.world.stage_um[0] > 0.5


def test_pylablib_and_the_anc350(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pylablib_anc350", rig, "anc350")
    assert (got["hardware_id"], got["connected"], got["enabled"]) == (-1, True, True)
    assert (got["sensor_v"], got["voltage_v"], got["frequency_hz"]) == (2.0, 30.0, 1000)
    assert got["moving"] is True
    assert got["position_um"] == pytest.approx(50.0, abs=0.25)
    assert (got["limit"], got["status"]) == (None, ["ref_valid"])
    assert got["offset_v"] == 10.0
    assert 100.0 < got["capacitance_nf"] < 1200.0
    assert got["refusal"] == "value out of range"
    assert rig.world.stage_um is not None
    assert rig.world.stage_um[0] == pytest.approx(50.0 / 1.01, abs=1.0)


@LINUX_ONLY
def test_yaq_and_the_monochromator(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_yaqd_spectrapro", rig, "spectrapro")
    assert got["gratings"][:3] == ["300 g/mm, 500 nm blaze", "1800 g/mm, 500 nm blaze", ""]
    assert got["slits"] == ["None"] * 4
    assert got["mirrors"] == ["None", "FRONT"]
    assert (got["start_nm"], got["position_nm"]) == (0.0, 531.0)
    assert got["grating_after"] == "1800 g/mm, 500 nm blaze"
    assert got["mirror_after"] == "SIDE"
    assert rig.world.spectrograph.lines_per_mm == 1800.0


@pytest.mark.parametrize("model", ["k2400", "k2450"])
def test_pymeasure_and_the_source_meters(clients_python: Path, rig: Rig, model: str) -> None:
    got = run(clients_python, "client_pymeasure_keithley", rig, model)
    assert model[1:] in got["id"]
    assert (got["compliance_a"], got["level_v"], got["on"]) == (1e-6, 10.0, True)
    assert got["current_a"] == pytest.approx(1e-9, abs=1e-10)
    assert rig.world.table.field_kv_cm == pytest.approx(10.0 / 0.514, abs=0.01)
    if model == "k2400":
        assert got["all"]["voltage"] == pytest.approx(10.0, abs=0.01)
        assert got["all"]["resistance"] == pytest.approx(1e10, rel=0.1)
        assert got["error"][0] == -222
        assert got["no_error"][0] == 0


def test_qcodes_and_the_2400(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_qcodes_keithley2400", rig, "k2400")
    assert got["idn"]["model"].endswith("2400")
    assert got["volt"] == pytest.approx(-4.0, abs=0.01)
    assert got["curr"] == pytest.approx(-4e-10, abs=1e-10)
    assert (got["on"], got["compliance_a"]) == (True, 1e-6)
    assert rig.world.table.field_kv_cm == 0.0


def shown_w(rig: Rig) -> float:
    """Power that the simulated meter shows at 405 nm, W, without zero offset."""
    return 0.087 * 1.018 * rig.world.laser_power_w()


@pytest.mark.parametrize("client", ["qmi_pm100d", "pymeasure_pm100usb", "pylablib_pm160"])
def test_three_clients_and_the_power_meter(clients_python: Path, rig: Rig, client: str) -> None:
    got = run(clients_python, f"client_{client}", rig, "power_meter")
    assert got["sensor"] == "S130C"
    assert got["wavelengths_nm"] == [pytest.approx(400.0), pytest.approx(1100.0)]
    assert got["wavelength_nm"] == pytest.approx(405.0)
    assert got["power_w"] == pytest.approx(shown_w(rig) + 2.4e-9, abs=1e-9)
    assert got["power_at_633_w"] < 0.5 * got["power_w"]


@LINUX_ONLY
@pytest.mark.parametrize("client", ["elliptec", "thorlabs_elliptec"])
def test_two_clients_and_the_ell14(clients_python: Path, rig: Rig, client: str) -> None:
    got = run(clients_python, f"client_{client}", rig, "ell14")
    assert got["angle_deg"] == pytest.approx(45.0, abs=0.03)
    assert got["shifted_deg"] == pytest.approx(25.0, abs=0.05)
    # It came from above and lags behind by the backlash.
    true_deg = got["shifted_deg"] * 1.0002 - 1.7 + 0.05
    assert rig.world.mounts.get("ell14") == pytest.approx(true_deg, abs=0.01)
    told = got.get("info") or {"Serial No.": got["serial"], "Range": got["travel_deg"]}
    assert (told["Serial No."], told["Range"]) == ("11400517", 360)


def test_pylablib_and_the_ell14(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pylablib_elliptec", rig, "ell14")
    assert (got["serial"], got["model"], got["travel_deg"]) == ("11400517", 14, 360)
    assert got["pulses"] == 143360
    assert got["angle_deg"] == pytest.approx(45.0, abs=0.03)
    assert got["shifted_deg"] == pytest.approx(-45.0, abs=0.05)
    assert (got["velocity"], got["home_offset_deg"], got["status"]) == (100, 0.0, "ok")


def test_pylablib_and_the_k10cr1(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pylablib_k10cr1", rig, "k10cr1")
    assert got["model"] == "K10CR1"
    assert (got["homed_before"], got["homed"], got["stopped"]) == (False, True, True)
    assert got["angle_deg"] == pytest.approx(45.0, abs=0.01)
    assert got["velocity_deg_s"] == pytest.approx(10.0)
    assert 44.9 < got["stopped_deg"] < 75.0
    assert got["status"] == ["homed", "enabled"]
    true_deg = got["stopped_deg"] * 1.0002 + 2.3
    assert rig.world.mounts.get("k10cr1") == pytest.approx(true_deg, abs=0.01)


def test_pylablib_and_the_filter_wheel(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pylablib_fw102c", rig, "wheel")
    assert (got["count"], got["start"], got["end"]) == (6, 1, 5)
    assert got["sensors"] == "off"
    assert rig.world.table.collected_rel == pytest.approx(10.0**-3.09)


def test_pylablib_and_the_flip_mount(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pylablib_mff101", rig, "mirror")
    assert (got["serial"], got["model"]) == (37001234, "MFF002")
    assert (got["start"], got["moving"], got["end"]) == (0, None, 1)
    assert got["transit_s"] == pytest.approx(0.6)
    assert rig.world.table.attenuation_rel == 0.0


def test_pylablib_and_the_white_light_laser(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pylablib_superk", rig, "superk")
    assert (got["type"], got["serial"], got["modules"]) == (0x60, "18260432", {"15": 0x60})
    assert got["temperature_c"] == pytest.approx(23.4)
    assert got["power"] == pytest.approx(60.0)
    assert (got["before"], got["after"]) == ([], ["emission"])
    assert rig.world.table.laser_on is True


def test_pymeasure_and_the_esp300(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pymeasure_esp300", rig, "esp300")
    assert (got["units"], got["enabled"], got["right"]) == ("millimeter", True, 75.0)
    assert got["position"] == pytest.approx(12.5)
    assert len(got["errors"]) == 1
    assert "POSITIVE SOFTWARE LIMIT" in got["errors"][0]
    assert rig.world.table.interferometer is not None
    delay_ps = 2.0 * (12.5 - 3.62) / 0.299792458
    assert rig.world.table.interferometer.delay_ps == pytest.approx(delay_ps, abs=0.01)


def test_the_maker_s_own_library_and_the_336(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_lakeshore336", rig, "lakeshore")
    assert got["serial"] == "LSA12AB"
    assert got["kelvin"] == pytest.approx(4.0, abs=0.1)
    assert got["all"][1:] == [0.0, 0.0, 0.0]
    assert got["set_point"] == 15.5
    assert (bool(got["ramp"]["ramp_enable"]), got["ramp"]["rate_value"]) == (True, 3.0)
    assert got["heater"] >= 0.0


def test_pymeasure_and_the_336(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pymeasure_lakeshore", rig, "lakeshore")
    assert got["kelvin"] == pytest.approx(4.0, abs=0.1)
    assert (got["set_point"], got["range"]) == (21.0, "medium")
    assert rig.world.thermal.target_k == pytest.approx(21.0, abs=0.05)


@LINUX_ONLY
def test_yaq_and_a_motorised_slit(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_yaqd_spectrapro", rig, "motorised")
    assert got["slits"] == [480, "None", "None", "None"]
    assert got["slit_after"] == 105
    assert rig.world.spectrograph.entrance_slit_um == 105.0


def test_pylablib_s_base_of_serial_instruments_and_the_shutter(
    clients_python: Path, rig: Rig
) -> None:
    got = run(clients_python, "client_pylablib_sc10", rig, "shutter")
    assert got == {
        "id": "THORLABS SC10 VERSION 1.07",
        "mode": 1,
        "before": 0,
        "enabled": 1,
        "after": 0,
    }


def test_pymeasure_s_generic_instrument_and_the_led_driver(clients_python: Path, rig: Rig) -> None:
    got = run(clients_python, "client_pymeasure_dc2200", rig, "led")
    assert got["id"].startswith("Thorlabs,DC2200,M00435922")
    assert got["brightness"] == [25.0]
    assert got["on"] == [1]
    assert got["errors"] == [[-113, '"Undefined header"']]
