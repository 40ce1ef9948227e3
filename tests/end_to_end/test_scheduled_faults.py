"""Faults that the set-up schedules strike at their time, in virtual time."""

from pathlib import Path

import pytest

from labctl.errors import NoReplyError
from labctl.host import SimulatedBy, connect_station
from labctl.roles import Cryostat
from labctl.setup import load_setup
from small_setup import LEGACY, S_SERIES, Bench

FAULT = """\
    sample_thermometer: platform
    simulate: {faults: [{kind: hang, after: 10 min, parameters: {for: 5 min}}]}
"""
FOREVER = """\
    sample_thermometer: platform
    simulate: {faults: [{kind: hang, after: 5 min}]}
"""


def with_fault(path: Path) -> Path:
    text = path.read_text("utf-8")
    path.write_text(text.replace("    sample_thermometer: platform\n", FAULT), "utf-8")
    return path


@pytest.mark.parametrize("words", [LEGACY, S_SERIES], ids=["tcp", "http"])
def test_a_cryostat_hangs_as_long_as_the_set_up_says(bench: Bench, words: dict[str, str]) -> None:
    setup = load_setup(with_fault(bench.setup(words)))
    with connect_station(setup, SimulatedBy()) as connection:
        cryostat, clock = connection.station.only(Cryostat), connection.clock
        clock.sleep(590.0 - clock.now())
        assert cryostat.read_temperature() == pytest.approx(4.0, abs=0.1)
        clock.sleep(601.0 - clock.now())
        with pytest.raises(NoReplyError):
            cryostat.read_temperature()
        clock.sleep(901.0 - clock.now())
        assert cryostat.read_temperature() == pytest.approx(4.0, abs=0.1)


def test_a_run_meets_it(bench: Bench) -> None:
    setup = bench.setup()
    text = setup.read_text("utf-8")
    setup.write_text(text.replace("    sample_thermometer: platform\n", FOREVER), "utf-8")
    report = bench.run(bench.request(setup=setup))
    assert report.outcome.status == "failed"
    assert "cryostat" in report.outcome.reason
