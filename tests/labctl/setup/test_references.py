"""What instruments and light paths of a set-up name must be there and fit."""

from pathlib import Path

import pytest

from labctl.errors import ConfigError
from labctl.setup import load_setup

SETUP = """\
schema_version: 1
name: detectors
instruments:
  spectrograph: {driver: princeton.spectrapro, address: "ASRL4::INSTR", gratings: {1: 300/mm}}
  shutter: {driver: thorlabs.sc10, address: "ASRL5::INSTR"}
  apd_shutter: {driver: thorlabs.sc10, address: "ASRL6::INSTR"}
  card: {driver: ni.counter}
  apd_1: {driver: detectors.pdm, counter: card, shutter: apd_shutter}
  target: {driver: manual.selector, positions: [sample, scatterer]}
paths: {irf: {spectrograph.exit: side, target: scatterer}}
sample: sample.yaml
"""
SAMPLE = """\
schema_version: 1
name: test sample
composition: CsPbBr3
dots: {A1: {edge_length: 23 nm, lifetime: 100 ps}}
"""


def problems(folder: Path, old: str = "", new: str = "") -> list[str]:
    """Return what is wrong once ``old`` is replaced, file names without their folder."""
    assert old in SETUP
    path = folder / "setup.yaml"
    path.write_text(SETUP.replace(old, new) if old else SETUP, encoding="utf-8")
    (folder / "sample.yaml").write_text(SAMPLE, encoding="utf-8")
    try:
        load_setup(path)
    except ConfigError as error:
        return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
    return []


def test_a_sound_set_up(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "counter: card",
            "counter: cards",
            "setup.yaml:8: 'cards' names no instrument of this set-up (did you mean 'card'?"
            " instruments: apd_1, apd_shutter, card, shutter, spectrograph, target)",
        ),
        (
            "counter: card",
            "tagger: card",
            "setup.yaml:8: 'card' is a pulse_counter, not a time_tagger"
            " (no time_tagger is in the set-up)",
        ),
        (
            "shutter: apd_shutter}",
            "shutter: target}",
            "setup.yaml:8: 'target' is a selector, not a shutter"
            " (there are shutter, apd_shutter)",
        ),
        (
            "counter: card, ",
            "",
            "setup.yaml:8: apd_1: says nobody who counts its pulses (write 'tagger' or 'counter')",
        ),
        (
            "counter: card, ",
            "counter: card, warn_rate: 6 MHz, ",
            "setup.yaml:8: apd_1: warn_rate is above max_rate"
            " (the guard would act without a warning)",
        ),
        (
            "target: scatterer}",
            "target: scaterer}",
            "setup.yaml:10: target has no position 'scaterer'"
            " (did you mean 'scatterer'? positions: sample, scatterer)",
        ),
        (
            "[sample, scatterer]",
            "[scatterer, scatterer]",
            "setup.yaml:9: target.positions: two positions have the same name",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert problems(tmp_path, old, new) == [says]


def test_the_light_must_have_an_end_also_where_nobody_named_it(tmp_path: Path) -> None:
    found = problems(tmp_path, "  shutter: {driver", "  laser_shutter: {driver")
    assert len(found) == 1
    assert found[0].startswith("setup.yaml:8: 'shutter' names no instrument of this set-up")


def test_another_end_of_the_light_may_be_named(tmp_path: Path) -> None:
    assert problems(tmp_path, "counter: card, ", "counter: card, light: apd_shutter, ") == []
