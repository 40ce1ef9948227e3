"""A recorded spectrum named in the set-up becomes plain numbers for the simulated set-up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.errors import ConfigError
from labctl.setup import Recording, Setup, load_setup
from labctl.setup._recorded import recorded_light

RECORDED = Path(__file__).parents[4] / "shared" / "realdata" / "proem_sp2500_150g.spe"
SETUP = """\
schema_version: 1
name: bench
instruments:
  camera: {driver: princeton.picam}
sample: sample.yaml
simulate:
  spectrum: {SPECTRUM}
"""
SAMPLE = """\
schema_version: 1
name: one dot
composition: CsPbBr3
dots: {A1: {edge_length: 23 nm, lifetime: 100 ps}}
"""


def written(folder: Path, spectrum: str) -> Path:
    (folder / "sample.yaml").write_text(SAMPLE, "utf-8")
    path = folder / "setup.yaml"
    path.write_text(SETUP.replace("SPECTRUM", spectrum), "utf-8")
    return path


def light(folder: Path, name: str, text: str | None = None, **keys: Any) -> dict[str, list[float]]:
    if text is not None:
        (folder / name).write_text(text, "utf-8")
    recording = Recording.model_validate({"file": name, **keys})
    return recorded_light(recording, folder / name)


def problem(setup: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        load_setup(setup)
    (found,) = raised.value.problems
    return str(found)


def test_the_rig_gets_the_recorded_light(tmp_path: Path) -> None:
    (tmp_path / "light.csv").write_text("wavelength_nm, counts\n500, 110\n501, 130\n", "utf-8")
    keys = "file: light.csv, exposure: 500 ms, electrons_per_count: 2.5, offset_counts: 100"
    setup = load_setup(written(tmp_path, keys))
    spec = setup.rig_spec()
    assert spec["spectrum"] == {"wavelength_nm": [500.0, 501.0], "electrons_per_s": [50.0, 150.0]}
    assert setup.notices == ("a simulation shows the light recorded in 'light.csv', not the dot",)
    assert setup.resolved()["simulate"]["spectrum"] == {
        "file": "light.csv",
        "exposure": "0.5 s",
        "electrons_per_count": 2.5,
        "offset_counts": 100.0,
    }


def test_without_the_key_there_is_no_recording(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_text(path.read_text("utf-8").partition("simulate:")[0], "utf-8")
    setup: Setup = load_setup(path)
    assert setup.recorded is None
    assert "spectrum" not in setup.rig_spec()


def test_comments_spaces_and_a_falling_axis(tmp_path: Path) -> None:
    text = "# by hand\nelectrons_per_s, wavelength_nm, remark\n\n1.5, 502, 0\n 4, 501.5, 0\n"
    text += "-2,500,0\n"
    assert light(tmp_path, "a.CSV", text) == {
        "wavelength_nm": [500.0, 501.5, 502.0],
        "electrons_per_s": [0.0, 4.0, 1.5],
    }


def test_arrays_and_their_exposure(tmp_path: Path) -> None:
    axis_nm, counts = np.array([500.0, 501.0]), np.array([8, 16], dtype=np.uint16)
    np.savez(tmp_path / "a.npz", wavelength_nm=axis_nm, counts=counts, exposure_s=4.0)
    assert light(tmp_path, "a.npz")["electrons_per_s"] == [2.0, 4.0]
    assert light(tmp_path, "a.npz", exposure="1 s")["electrons_per_s"] == [8.0, 16.0]
    np.savez(tmp_path / "b.npz", wavelength_nm=axis_nm, electrons_per_s=counts)
    assert light(tmp_path, "b.npz")["electrons_per_s"] == [8.0, 16.0]


@pytest.mark.skipif(not RECORDED.exists(), reason="the real recordings are not on this computer")
def test_a_recording_of_lightfield() -> None:
    recording = Recording.model_validate({"file": RECORDED.name})
    found = recorded_light(recording, RECORDED)
    # Agreed figures of this file: sum of all pixels and the ends of its axis; 3 s of exposure.
    assert sum(found["electrons_per_s"]) == pytest.approx(3307526.997 / 3.0, rel=1e-9)
    assert found["wavelength_nm"][0] == pytest.approx(546.1321781934, abs=1e-9)
    assert found["wavelength_nm"][-1] == pytest.approx(653.9910578694, abs=1e-9)
    assert len(found["wavelength_nm"]) == 512


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", None, "'a.csv' cannot be read: "),
        ("a.txt", "", "'a.txt' is of no known kind of recording (use .spe, .csv, .npz)"),
        ("a.csv", "", "'a.csv' has nothing (name the columns wavelength_nm and counts or"),
        ("a.csv", "nm,counts\n1,2\n", "'a.csv' has 'nm', 'counts' (name the columns wavelength_nm"),
        ("a.csv", "wavelength_nm,counts,electrons_per_s\n1,2,3\n2,3,4\n", "(name the columns"),
        ("a.csv", "wavelength_nm,counts\n", "has no numbers below its names"),
        ("a.csv", "wavelength_nm,counts\n1,2\n2\n", "'a.csv' cannot be read: "),
        ("a.csv", "wavelength_nm,counts\n1,2\n2,two\n", "could not convert string to float: 'two'"),
        ("a.csv", "wavelength_nm,electrons_per_s\n1,2\n", "1 wavelengths for 1 values (at least"),
        ("a.csv", "wavelength_nm,electrons_per_s\n1,2\n3,4\n2,4\n", "do not all rise, or all fall"),
        ("a.csv", "wavelength_nm,electrons_per_s\n1,2\n1,4\n", "do not all rise, or all fall"),
        ("a.csv", "wavelength_nm,electrons_per_s\n1,2\n2,nan\n", "not finite"),
        ("a.csv", "wavelength_nm,counts\n1,2\n2,4\n", "not say how long the exposure was (add"),
        ("a.spe", "short", "'a.spe' cannot be read: "),
        ("a.npz", "no archive", "'a.npz' cannot be read: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    found = problem(written(tmp_path, f"file: {name}"))
    assert found.startswith("setup.yaml:7: ") or "setup.yaml:7: " in found
    assert words in found


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("fil: a.csv", "unknown key 'simulate.spectrum.fil'"),
        ("exposure: 1 s", "'simulate.spectrum.file' is missing"),
        ("file: a.csv, exposure: 1", "has no unit"),
        ("file: a.csv, exposure: 1 nm", "not a quantity in s"),
        ("file: a.csv, electrons_per_count: 0", "must be greater than 0"),
    ],
)
def test_wrong_keys(tmp_path: Path, keys: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_setup(written(tmp_path, keys))
    assert words in "\n".join(str(entry) for entry in raised.value.problems)


def test_a_name_is_looked_for_beside_the_setup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "beside"
    folder.mkdir()
    (folder / "a.csv").write_text("wavelength_nm,electrons_per_s\n1,2\n2,4\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    setup = load_setup(written(folder, "file: a.csv"))
    assert setup.recorded == {"wavelength_nm": [1.0, 2.0], "electrons_per_s": [2.0, 4.0]}
