"""A small set-up with two detectors and a tagger, on which photons are taken."""

from collections.abc import Mapping

from labctl.host import RunRequest
from small_setup import ROOT, Bench

SETUP = f"""
schema_version: 1
name: photons
sample: {(ROOT / "configs" / "samples" / "cspbbr3_23nm.yaml").as_posix()}
laser:
  wavelength: 405 nm
  rep_rate: 10 MHz
  spot_1e2_diameter: 2.4 um
  peak_fluence: 0.17 uJ/cm^2
instruments:
  cryostat:
    driver: montana.cryostation
    address: TCPIP::cryostation.example::7773::SOCKET
    simulate: {{truth: {{start_temperature: 4 K}}}}
  spectrograph:
    driver: princeton.spectrapro
    address: ASRL4::INSTR
    gratings: {{1: 300/mm, 2: 1800/mm}}
  shutter: {{driver: thorlabs.sc10, address: "ASRL5::INSTR"}}
  apd_shutter:
    driver: thorlabs.sc10
    address: ASRL6::INSTR
    simulate: {{truth: {{blocks: detectors}}}}
  target: {{driver: manual.selector, positions: [sample, scatterer]}}
  tagger: {{driver: DRIVER}}
  apd_1: {{driver: detectors.pdm, tagger: tagger, channel: 1, shutter: apd_shutter}}
  apd_2: {{driver: detectors.pdm, tagger: tagger, channel: 2, shutter: apd_shutter}}
paths:
  apd: {{spectrograph.exit: side, target: sample}}
  hbt: {{spectrograph.exit: side, target: sample}}
  irf: {{spectrograph.exit: side, target: scatterer}}
laser_blocking:
  for: {{irf: 4}}
  filters: {{dichroic: {{density: 1.5}}, long_pass: {{density: 6, in: {{target: sample}}}},
    grey: {{density: 3, in: {{target: scatterer}}}}}}
safe_state: [shutter.close, apd_shutter.close, tagger.stop]
"""


class PhotonBench(Bench):
    """Runs steps on the set-up with detectors."""

    def ask(
        self, steps: str, *, seed: int = 0, changes: Mapping[str, str] | None = None, **words: str
    ) -> RunRequest:
        """Return a request for these steps, one per line; ``changes`` are made in the set-up."""
        head = "name: photons\nsample: {name: CsPbBr3 23 nm, dot: A7}\nsteps:\n"
        lines = [f"  - {line.strip()}" for line in steps.strip().splitlines()]
        text = SETUP
        for old, new in {"DRIVER": "picoquant.multiharp150", **(changes or {}), **words}.items():
            assert old in text
            text = text.replace(old, new)
        setup = self.folder / "setup.yaml"
        setup.write_text(text, "utf-8")
        recipe = self.recipe(head + "\n".join(lines) + "\n")
        return self.request(setup=setup, recipe=recipe, seed=seed)
