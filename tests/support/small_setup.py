"""A small set-up and recipes on which whole runs are made."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from labctl.host import LocalHost, RunReport, RunRequest
from labctl.storage import Run, read_run

ROOT = Path(__file__).parents[2]

SETUP = f"""
schema_version: 1
name: small set-up
sample: {(ROOT / "configs" / "samples" / "cspbbr3_23nm.yaml").as_posix()}
laser:
  wavelength: 405 nm
  rep_rate: 10 MHz
  spot_1e2_diameter: 2.4 um
  peak_fluence: 0.85 uJ/cm^2
instruments:
  cryostat:
    driver: CRYOSTAT_DRIVER
    address: CRYOSTAT_ADDRESS
    sample_thermometer: platform
  spectrograph:
    driver: princeton.spectrapro
    address: ASRL4::INSTR
    gratings: {{1: 300/mm, 2: 1800/mm}}
  camera: {{driver: princeton.picam}}
  shutter: {{driver: thorlabs.sc10, address: "ASRL5::INSTR"}}
  lamp: {{driver: manual.lamp}}
safe_state: [shutter.close, camera.em_gain_1, camera.close, lamp.off]
monitors: [{{read: cryostat.temperature, every: MONITOR_PERIOD}}]
"""

RECIPE = """
name: three points
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: cryostat.temperature
    values: [4, 12, 20]
    settle: {tolerance: 50 mK, std: 50 mK, for: 60 s, timeout: 30 min}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 3}
"""

LEGACY = {
    "CRYOSTAT_DRIVER": "montana.cryostation",
    "CRYOSTAT_ADDRESS": "TCPIP::cryostation.example::7773::SOCKET",
    "MONITOR_PERIOD": "5 s",
}
S_SERIES = LEGACY | {
    "CRYOSTAT_DRIVER": "montana.s_series",
    "CRYOSTAT_ADDRESS": "http://cryostat.example:47101",
}


class Bench:
    """Writes set-ups and recipes into a folder and runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def setup(self, words: Mapping[str, str] = LEGACY, name: str = "setup.yaml") -> Path:
        text = SETUP
        for word, value in words.items():
            text = text.replace(word, value)
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def recipe(self, text: str = RECIPE, name: str = "recipe.yaml") -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def request(
        self, *, setup: Path | None = None, recipe: Path | None = None, seed: int = 0
    ) -> RunRequest:
        return RunRequest(
            setup=setup or self.setup(),
            recipe=recipe or self.recipe(),
            simulate=True,
            seed=seed,
            out=self.folder / "data",
        )

    def run(self, request: RunRequest) -> RunReport:
        return LocalHost().run(request)


def arrays(run: Run) -> dict[str, bytes]:
    """Return every measured array of a run as bytes, so that equal means bit-identical."""
    found: dict[str, bytes] = {}
    for kind, dataset in run.data.items():
        for name in ("counts", "frames", "wavelength"):
            if name in dataset.variables:
                found[f"{kind}.{name}"] = np.ascontiguousarray(dataset[name].values).tobytes()
    return found


def arrays_of(report: RunReport) -> dict[str, bytes]:
    return arrays(read_run(report.journal))
