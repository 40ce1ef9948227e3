"""What a set-up offers to everything above the drivers."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.errors import ConfigError
from labctl.roles import Limits
from labctl.setup import Setup, load_setup, parse_yaml, read_setup

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def setup() -> Setup:
    return load_setup(CONFIGS / "setups" / "microscope.yaml")


@pytest.mark.parametrize("path", sorted((CONFIGS / "setups").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_setup_is_right(path: Path) -> None:
    setup = load_setup(path)
    assert setup.notices == ()
    assert setup.dots
    local = ("ASRL", "USB", "GPIB")
    for entry in setup.instruments.values():
        address = entry.address
        assert ".example" in address or "::" not in address or address.startswith(local)


def test_settables_carry_the_limits_of_the_setup(setup: Setup) -> None:
    assert setup.settable("cryostat.temperature").limits == Limits(3.2, 320.0)
    assert setup.instruments["cryostat"].settables["temperature"].unit == "K"
    with pytest.raises(ConfigError, match="did you mean 'cryostat'"):
        setup.settable("cryostatt.temperature")
    with pytest.raises(ConfigError, match="no settable 'temprature'"):
        setup.settable("cryostat.temprature")
    with pytest.raises(ConfigError, match=r"did you mean attenuator\.fluence\?"):
        setup.settable("laser.fluence")


def test_roles_monitors_and_calibrations(setup: Setup) -> None:
    assert [entry.name for entry in setup.having("camera")] == ["camera"]
    assert setup.monitors == {"cryostat.temperature": 5.0}
    assert setup.calibrations["wavelength"].is_relative_to(setup.data_root)
    assert setup.safe_state[0] == "shutter.close"


def test_the_rig_gets_plain_numbers_with_units_in_their_names(setup: Setup) -> None:
    spec = setup.rig_spec(dot="A7")
    assert spec["dot"] == "A7"
    assert spec["memory"] is True
    assert spec["laser"] == {
        "wavelength_nm": 405.0,
        "rep_rate_hz": 1e7,
        "spot_1e2_diameter_um": 2.4,
        "peak_fluence_uj_cm2": 12.0,
        "polarization_deg": 45.0,
    }
    cryostat = spec["instruments"]["cryostat"]
    assert cryostat["simulator"] == "montana.cryostation"
    assert cryostat["truth"] == {"base_temperature_k": 3.4, "settle_time_s": 300.0}
    assert cryostat["settings"]["reply_timeout_s"] == 5.0
    gratings = spec["instruments"]["spectrograph"]["settings"]["gratings"]
    assert gratings == {1: 300.0, 2: 1800.0, 3: 0.0}
    json.dumps(spec)


def test_sample_and_dot_of_the_rig(setup: Setup) -> None:
    assert setup.rig_spec()["dot"] == setup.dots[0]
    other = setup.rig_spec({"dots": {"Z9": {}}})
    assert other["dot"] == "Z9"
    assert other["sample"] == {"dots": {"Z9": {}}}


def test_another_sample_from_the_command_line() -> None:
    path = CONFIGS / "setups" / "microscope.yaml"
    setup = load_setup(path, sample=CONFIGS / "samples" / "cspbbr3_7nm.yaml")
    assert setup.rig_spec()["sample"]["name"] == "CsPbBr3 7 nm"
    with pytest.raises(ConfigError, match=r"--sample: there is no sample file 'nothing\.yaml'"):
        load_setup(path, sample="nothing.yaml")


def test_without_a_sample_nothing_is_simulated() -> None:
    text = (CONFIGS / "setups" / "microscope.yaml").read_text("utf-8")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("sample:"))
    setup = read_setup(parse_yaml(text, Path("setup.yaml")))
    with pytest.raises(ConfigError, match="needs a sample"):
        setup.rig_spec()


def test_the_resolved_setup_loads_again_as_the_same(setup: Setup) -> None:
    data: Any = json.loads(json.dumps(setup.resolved()))
    data["sample"] = str(CONFIGS / "samples" / "cspbbr3_23nm.yaml")
    again = read_setup(parse_yaml(json.dumps(data), Path("resolved.yaml")))
    assert again.rig_spec() == setup.rig_spec()
    assert again.monitors == setup.monitors
    for name, entry in setup.instruments.items():
        other = again.instruments[name]
        assert other.settings == entry.settings
        assert other.limits == entry.limits
        assert other.address == entry.address


def test_changes_from_the_command_line() -> None:
    path = CONFIGS / "setups" / "microscope.yaml"
    setup = load_setup(path, changes=["laser.wavelength=410 nm", "simulate={memory: off}"])
    assert setup.rig_spec()["laser"]["wavelength_nm"] == 410.0
    assert setup.rig_spec()["memory"] is False
    with pytest.raises(ConfigError, match=r"--set laser\.wavelength: laser\.wavelength: 410"):
        load_setup(path, changes=["laser.wavelength=410"])


def microscope_with(interlocks: str) -> str:
    """Return the shipped set-up with these interlocks instead of its own."""
    text = (CONFIGS / "setups" / "microscope.yaml").read_text("utf-8")
    text = text.replace("sample: ../", f"sample: {CONFIGS.as_posix()}/")
    own = r"^interlocks:.*?(?=^\w)"
    text, found = re.subn(own, interlocks, text, flags=re.DOTALL | re.MULTILINE)
    assert found == 1
    return text


def test_interlocks_and_rules_are_checked_and_not_silently_ignored() -> None:
    text = microscope_with("""interlocks:
  - {watch: cryostat.temperature, above: 120 K, rearm: 100 K, do: suspend, why: dots bleach}
  - {watch: cryostat.stability, band: [0 K, 1 K], do: abort, delay: 10 s}
  - {watch: shutter.open, above: 0.5, do: close_light}
  - {watch: cryostat.temperature, stale: 1 min, do: close_light, latch: false}
""")
    setup = read_setup(parse_yaml(text, Path("setup.yaml")))
    assert len(setup.file.interlocks) == 4
    assert [entry.latches for entry in setup.file.interlocks] == [False, True, True, False]
    assert {rule.limit for rule in setup.file.rules} >= {"stage.step_voltage_x"}
    assert setup.notices == ()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("watch: cryostat.temperature, above: 120 K, do: suspend", "write 'rearm'"),
        (
            "watch: cryostat.temperature, above: 9 K, rearm: 9 K, do: suspend",
            "not on the safe side",
        ),
        (
            "watch: cryostat.temperature, below: 9 K, rearm: 8 K, do: suspend",
            "not on the safe side",
        ),
        (
            "watch: cryostat.temperature, band: [9 K, 3 K], rearm: [4 K, 8 K], do: suspend",
            "the smaller amount comes first",
        ),
        (
            "watch: cryostat.temperature, band: [3 K, 9 K], rearm: [3 K, 8 K], do: suspend",
            "not on the safe side",
        ),
        (
            "watch: cryostat.temperature, band: [3 K, 9 K], rearm: 8 K, do: suspend",
            "rearm of a band is a band",
        ),
        ("watch: cryostat.temperature, alarm: true, rearm: 8 K, do: abort", "remove it"),
        ("watch: shutter.open, alarm: true, do: abort", "a shutter reports no alarms"),
    ],
)
def test_interlocks_that_cannot_work_are_refused(entry: str, told: str) -> None:
    text = microscope_with(f"interlocks:\n  - {{{entry}}}\n")
    with pytest.raises(ConfigError, match=told):
        read_setup(parse_yaml(text, Path("setup.yaml")))


THIRD_PARTY = """
from typing import Any

from pydantic import Field

from labctl.roles import Cryostat, Identity, Settings
from labctl.units import Seconds, Volts


class OwnSettings(Settings):
    dwell_s: Seconds = Field(alias="dwell")
    bias: Volts = 1.0


class OwnCryostat(Cryostat):
    interface = "stream"
    settings_type = OwnSettings


class OwnSimulator:
    interface = "stream"
    truth_defaults = {"leak_rate_pa": 0.5, "stuck": False}
"""


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package of somebody else's driver and simulator."""
    (tmp_path / "third_party_lab.py").write_text(THIRD_PARTY)
    metadata = tmp_path / "third_party_lab-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party-lab\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[labctl.drivers]\nown.cryo = third_party_lab:OwnCryostat\n"
        "own.broken = third_party_lab:Missing\nown.number = third_party_lab:THREE\n"
        "[labctl.simulators]\nown.cryo = third_party_lab:OwnSimulator\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield
    sys.modules.pop("third_party_lab", None)


def third_party_setup(driver: str, keys: str) -> Setup:
    text = f"schema_version: 1\nname: x\ninstruments:\n  c: {{driver: {driver}, {keys}}}\n"
    return read_setup(parse_yaml(text, Path("setup.yaml")))


@pytest.mark.usefixtures("third_party")
def test_drivers_and_simulators_of_others_are_found() -> None:
    keys = "address: ASRL1, dwell: 2 min, simulate: {truth: {leak_rate: 2 mPa}}"
    setup = third_party_setup("own.cryo", keys)
    spec = setup.rig_spec({"dots": {}})["instruments"]["c"]
    assert spec["settings"] == {"dwell_s": 120.0, "bias_v": 1.0}
    assert spec["truth"] == {"leak_rate_pa": 0.002}
    assert setup.resolved()["instruments"]["c"]["dwell"] == "120 s"


@pytest.mark.usefixtures("third_party")
def test_a_driver_that_cannot_be_loaded_is_a_problem_of_its_line() -> None:
    with pytest.raises(ConfigError, match=r"setup\.yaml:4: c: the driver 'own\.broken' cannot"):
        third_party_setup("own.broken", "address: ASRL1")


@pytest.mark.usefixtures("third_party")
def test_keys_of_a_driver_are_checked_by_the_driver() -> None:
    with pytest.raises(ConfigError) as raised:
        third_party_setup("own.cryo", "address: ASRL1, bias: 1 nm, dewll: 1 s")
    assert [problem.what for problem in raised.value.problems] == [
        "'c.dwell' is missing",
        "c.bias: '1 nm' is not a quantity in V",
        "unknown key 'c.dewll'",
    ]
