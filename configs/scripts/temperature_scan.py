"""Spectra and decays of one dot at ten temperatures, in plain Python.

Measures the points of configs/recipes/temperature_series.yaml. Try it on the simulated set-up:

    python configs/scripts/temperature_scan.py --simulate

If it was broken off, ``--resume RUN`` runs it again and goes on with its run.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import labctl
from labctl.host import Lab, ScriptRun
from labctl.measurements import (
    CalibrateDetector,
    CalibrateWavelength,
    IrfMeasurement,
    Spectrum,
    Trpl,
)
from labctl.roles import SettleRule
from labctl.sequencer import Skipped

SETUP = Path(__file__).parents[1] / "setups" / "microscope.yaml"
SAMPLE, DOT = "CsPbBr3 23 nm", "A7"
TEMPERATURES_K = (4, 10, 20, 30, 40, 50, 60, 70, 80, 90)
# The sample follows the platform with a delay, so the dwell time is long.
SETTLE = SettleRule(tolerance=0.05, std=0.05, dwell_s=15 * 60, timeout_s=60 * 60)


def scan(
    lab: Lab, temperatures_k: Sequence[float] = TEMPERATURES_K, resume: Path | None = None
) -> ScriptRun:
    """Calibrate, then take a spectrum and a decay at each temperature."""
    points = 3 + 2 * len(temperatures_k)
    with lab.run("temperature scan", sample=SAMPLE, dot=DOT, points=points, resume=resume) as run:
        # What a count means, where each pixel lies, and how sharp the clock is.
        lab.measure(
            CalibrateDetector(grating="300/mm", center="600 nm", exposure="0.5 s", frames=40)
        )
        lab.measure(
            CalibrateWavelength(grating="300/mm", center="560 nm", exposure="0.5 s", frames=20)
        )
        lab.measure(IrfMeasurement(grating="300/mm", stop={"counts": 300_000, "at_most": "60 s"}))
        for kelvin in temperatures_k:
            try:
                reached_k = lab.cryostat.set_temperature(kelvin, settle=SETTLE, on_timeout="skip")
            except Skipped:
                continue
            spectrum = lab.measure(
                Spectrum(grating="300/mm", center="531 nm", exposure="1 s", frames=10)
            )
            decay = lab.measure(Trpl(at_peak=True, stop={"counts": 40_000, "at_most": "60 s"}))
            peak, photons = int(spectrum["counts"].max()), int(decay["counts"].sum())
            print(f"{reached_k:7.3f} K  peak {peak} counts, {photons} photons")
    return run


def main() -> None:
    """Read the command line and scan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulate", action="store_true", help="use the simulated set-up")
    parser.add_argument("--out", type=Path, help="folder for runs")
    parser.add_argument("--seed", type=int, default=0, help="seed of the simulation")
    parser.add_argument("--resume", type=Path, help="run of this script to go on with")
    chosen = parser.parse_args()
    with labctl.station(
        SETUP, simulate=chosen.simulate, out=chosen.out, seed=chosen.seed, dot=DOT
    ) as lab:
        run = scan(lab, resume=chosen.resume)
    print(run.product or run.journal)


if __name__ == "__main__":
    main()
