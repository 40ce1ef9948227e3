"""Row 21: a second program opens an instrument that the first one holds."""

from pathlib import Path
from time import monotonic

import pytest

from labctl.errors import NotConnectedError
from labctl.host import connect_station, simulate
from labctl.roles import Cryostat
from labctl.setup import Setup, load_setup

ROOT = Path(__file__).parents[2]
SETUP = f"""
schema_version: 1
name: two byte instruments
sample: {(ROOT / "configs" / "samples" / "cspbbr3_23nm.yaml").as_posix()}
instruments:
  cryostat:
    driver: montana.cryostation
    address: TCPIP::cryostation.example::7773::SOCKET
    sample_thermometer: platform
  shutter: {{driver: thorlabs.sc10, address: "ASRL5::INSTR"}}
safe_state: [shutter.close]
"""


def served_at(path: Path, addresses: dict[str, str]) -> Setup:
    """Return the set-up as of somebody who has these instruments on the desk."""
    changes = [f"instruments.{name}.address={address}" for name, address in addresses.items()]
    return load_setup(path, changes=changes)


def test_the_second_is_told_who_has_it_and_the_first_is_not_disturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABCTL_LOCKS", str(tmp_path / "locks"))
    path = tmp_path / "setup.yaml"
    path.write_text(SETUP, "utf-8")
    simulation = simulate(load_setup(path).rig_spec(), seed=0, speed=1.0)
    try:
        setup = served_at(path, simulation.rig.addresses())
        with connect_station(setup, None) as first:
            before_k = first.station.only(Cryostat).read_temperature()
            began_s = monotonic()
            with pytest.raises(NotConnectedError) as caught:
                connect_station(setup, None).__enter__()
            assert monotonic() - began_s < 1.0
            for name in ("cryostat", "shutter"):
                assert "in use by this program itself since" in str(caught.value.failures[name])
            after_k = first.station.only(Cryostat).read_temperature()
            assert after_k == pytest.approx(before_k, abs=0.5)
        # Given back at the end, so that anybody can have it at once.
        with connect_station(setup, None) as second:
            assert second.station.only(Cryostat).read_temperature() > 0.0
    finally:
        simulation.close()
    assert simulation.rig.errors == []
