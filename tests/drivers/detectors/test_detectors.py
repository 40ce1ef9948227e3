"""Channel descriptions: data sheet as default, test sheet of the unit, wiring."""

from typing import Any

import pytest
from pydantic import ValidationError

from fake_lab import FakeShutter
from labctl.errors import NoReplyError
from labctl.roles import DetectorFacts, DetectorWiring, Identity
from labctl.transport import LibraryLink
from labctl_drivers.detectors._detector import Detector, DetectorSettings
from labctl_drivers.detectors.pdm import Pdm, PdmSettings
from labctl_drivers.detectors.spcm_aqrh import SpcmAqrh, SpcmAqrhSettings

BOTH = pytest.mark.parametrize("kind", [Pdm, SpcmAqrh])


def make(kind: type[Detector], **keys: Any) -> Detector:
    settings = kind.settings_type.model_validate({"tagger": "tagger", **keys})
    assert isinstance(settings, DetectorSettings)
    driver = kind("apd_1", LibraryLink(), settings, {})
    driver.connect()
    return driver


def test_the_defaults_are_those_of_the_data_sheets() -> None:
    pdm, spcm = make(Pdm), make(SpcmAqrh)
    assert pdm.facts == DetectorFacts(77.0, 50.0, 50.0, 0.01)
    assert (pdm.max_rate_hz, pdm.warn_rate_hz) == (5e6, 1e6)
    assert spcm.facts == DetectorFacts(24.0, 350.0, 100.0, 0.005)
    assert (spcm.max_rate_hz, spcm.warn_rate_hz) == (10e6, 5e6)
    assert pdm.wiring == DetectorWiring("tagger")


@BOTH
def test_the_test_sheet_of_the_unit_holds(kind: type[Detector]) -> None:
    driver = make(
        kind,
        channel=3,
        counter="daq",
        counter_channel=1,
        shutter="apd_shutter",
        light="laser_shutter",
        serial="0815",
        dead_time="0.05 us",
        jitter="0.2 ns",
        dark_rate="5 Hz",
        afterpulsing=0.02,
        max_rate="2 MHz",
        warn_rate="500 kHz",
    )
    assert driver.facts == DetectorFacts(50.0, 200.0, 5.0, 0.02)
    wiring = DetectorWiring("tagger", 3, "daq", 1, "apd_shutter", "laser_shutter")
    assert driver.wiring == wiring
    assert (driver.max_rate_hz, driver.warn_rate_hz) == (2e6, 5e5)
    assert driver.identity() == Identity(driver.maker, driver.model, "0815")


@BOTH
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dead_time", 77),
        ("dead_time", "77 Hz"),
        ("dead_time", "0 ns"),
        ("jitter", "-1 ps"),
        ("dark_rate", "-1 Hz"),
        ("afterpulsing", 1.0),
        ("max_rate", "0 Hz"),
        ("warn_rate", "20 MHz"),
        ("channel", -1),
        ("light", ""),
        ("tagger", ""),
        ("gain", 3),
    ],
)
def test_nonsense_is_refused(kind: type[Detector], key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        make(kind, **{key: value})


@pytest.mark.parametrize("settings", [PdmSettings, SpcmAqrhSettings])
def test_a_counter_card_alone_may_count(settings: type[DetectorSettings]) -> None:
    assert settings.model_validate({"counter": "daq"}).tagger == ""


def test_the_snapshot_says_whether_the_shutter_in_front_is_closed() -> None:
    driver, shutter = make(Pdm), FakeShutter("apd_shutter")
    assert driver.snapshot()["shutter"].startswith("none")
    driver.attach(lambda: 0.0, shutter, lambda: None)
    assert driver.snapshot()["shut"] is True

    def silent() -> bool:
        raise NoReplyError("apd_shutter", "closed?", "no reply")

    shutter.is_open = silent
    assert "no reply" in driver.snapshot()["shut"]
