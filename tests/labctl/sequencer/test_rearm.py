"""A command re-arms whatever has a guard that latches, and says so where there is none."""

import pytest

from fake_lab import Bench
from labctl.errors import ProtectionError
from labctl.roles import PhotonCounter
from labctl.stations import Station
from labctl.transport import LibraryLink
from labctl_drivers.detectors.pdm import Pdm, PdmSettings


def with_detector(bench: Bench) -> PhotonCounter:
    apd = Pdm("apd_1", LibraryLink(), PdmSettings(tagger="tagger"), {})
    apd.attach(lambda: 0.0, None, bench.shutter.shut)
    station = bench.session.station
    bench.session.station = Station({**{n: station[n] for n in station}, "apd_1": apd}, ())
    bench.start()
    return apd


def test_a_detector_is_re_armed_between_two_steps(bench: Bench) -> None:
    apd = with_detector(bench)
    with pytest.raises(ProtectionError):
        apd.check_rate(1e8)
    bench.session.checkpoint()
    assert apd.latched()
    bench.control.rearm.append("apd_1")
    bench.session.checkpoint()
    assert not apd.latched()
    assert bench.texts() == ["guard re-armed by the user"]


def test_what_has_no_guard_or_is_not_there_is_told(bench: Bench) -> None:
    with_detector(bench)
    bench.control.rearm.extend(["lamp", "apd_9"])
    bench.session.checkpoint()
    without, unknown = bench.texts()
    assert without == "lamp: a lamp has no guard that latches"
    assert unknown.startswith("no instrument 'apd_9'")
