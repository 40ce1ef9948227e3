"""Exported photons are valid Photon-HDF5 for the people of that format, and whole."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labctl.exports import export_photon_hdf5
from labctl.photons import Decoder, read_ptu
from live_bench import run_live
from photon_setup import PhotonBench

CLIENT = Path(__file__).with_name("client_photon_hdf5.py")
STEPS = """
photons: {mode: t3, center: 531 nm, stop: {time: 0.5 s}}
photons: {mode: t2, center: 531 nm, stop: {time: 0.5 s}}
trpl: {center: 531 nm, stop: {time: 0.5 s}}
"""


@pytest.mark.parametrize("driver", ["picoharp300", "hydraharp400", "multiharp150"])
def test_phconvert_validates_and_loads(clients_python: Path, tmp_path: Path, driver: str) -> None:
    words: dict[str, Any] = {"DRIVER": f"picoquant.{driver}"}
    steps = STEPS
    if driver == "picoharp300":  # takes the detectors at sync and input in T2, none else
        words |= {"channel: 1": "channel: 0", "channel: 2": "channel: 1"}
        steps = STEPS.strip().splitlines()[1]
    live = run_live(PhotonBench(tmp_path).ask(steps, **words), lambda _event, _live: None)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    for path in export_photon_hdf5(live.run, tmp_path / "out"):
        file = read_ptu(live.run.path.parent / f"{path.stem}.ptu")
        block = Decoder(file.stream).feed(file.records())
        found = loaded(clients_python, path)
        assert found["photons"] == len(block.time_ticks) == sum(found["counts"])
        assert found["last"] == block.time_ticks[-1]
        if file.stream.mode == 3:
            assert found["delays"] == int(block.delay_bins.astype("i8").sum())
        assert "apd_1" in found["labels"]
        assert found["rate_hz"] == [1e7]


def loaded(python: Path, path: Path) -> Any:
    """What phconvert says of a file that it calls valid."""
    done = subprocess.run(
        [str(python), str(CLIENT), str(path), str(path.with_suffix(".copy.h5"))],
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
