"""How fast the simulated modules make records: ``python -m benchmarks.simulated_photons``.

Each case is measured in CPU time on one core, beside a copy of as many bytes in the same run.
The second figure is the whole way from emission to records, the first the encoding alone.
"""

from time import process_time
from typing import NamedTuple

import numpy as np

from benchmarks.report import Figure
from labctl_sim.picoquant._records import HYDRA, T3Encoder
from labctl_sim.world._table import Timeline
from labctl_sim.world.photons import (
    Chance,
    Light,
    PhotonStream,
    Responses,
    Source,
    Timing,
    cascade,
    grid_of,
)

REPEATS = 3
TARGET_MHZ = 10.0


class Case(NamedTuple):
    """Light on two detectors."""

    name: str
    rep_rate_hz: float
    seen: float
    """Probability that a photon is detected by one of them."""
    length_s: float


CASES = (
    Case("10 MHz, 30 kcps", 1e7, 0.0024, 20.0),
    Case("80 MHz, 5 Mcps", 8e7, 0.05, 0.5),
    Case("80 MHz, 20 Mcps, two detectors at their limit", 8e7, 0.25, 0.2),
)


def _generator(_name: str) -> np.random.Generator:
    return np.random.default_rng(0)


def _no_blinking(_name: str) -> None:
    return None


def stream(case: Case) -> PhotonStream:
    """A weakly confined dot on two real detectors."""
    fields = np.arange(2)
    responses = Responses(
        np.full(2, 77_000),
        np.full(2, 0.01),
        np.full(2, 3e4),
        np.full(2, 1e-4),
        np.full(2, 20_000),
        3000 * fields,
        np.full(2, 650),
        np.full(2, fill_value=True),
    )
    chance = Chance(np.array([0, 1], dtype=np.uint64), _generator, _no_blinking)
    made = PhotonStream(grid_of(case.rep_rate_hz), responses, chance, Timeline(0.0, 1.0), 0.0)
    half = (0.5 * case.seen,) * 2
    model = cascade(1.0, None, half, half, [500.0 / n**2 for n in range(1, 20)])
    light = Light({"dot": Source((model,))}, (50.0, 50.0), (Timing(30.0, 60.0, 0.1, 41.0),) * 2)
    made.note(0.0, light)
    return made


def measure(case: Case, scale: float = 1.0) -> tuple[float, float, float]:
    """Million photons per second: encoded, from emission on; and records copied."""
    channels = np.array([0, 1, -1, -1, -1, -1, -1, 0])
    best = [0.0, 0.0, 0.0]
    for _ in range(REPEATS):
        source = stream(case)
        begin_s = process_time()
        events = source.until(scale * case.length_s, end=True)
        made_s = process_time() - begin_s
        begin_s = process_time()
        records = T3Encoder(HYDRA, source.grid, 4, 0, channels, 2 * 10**9).photons(events)
        encoded_s = process_time() - begin_s
        begin_s = process_time()
        records.copy()
        copied_s = process_time() - begin_s
        arrived = sum(source.clicks)
        rates = (arrived / encoded_s, arrived / (made_s + encoded_s), len(records) / copied_s)
        best = [max(old, 1e-6 * new) for old, new in zip(best, rates, strict=True)]
    return best[0], best[1], best[2]


def figures(scale: float = 1.0) -> list[Figure]:
    """Return the rates of every case beside their targets; ``scale`` shortens the streams."""
    stream(CASES[0]).until(0.01)
    found: list[Figure] = []
    target = f">= {TARGET_MHZ:g}"
    for case in CASES:
        encoded, whole, _ = measure(case, scale)
        name, unit = f"simulated module, {case.name}", "Mphotons/s"
        found.append(Figure(f"{name}: records", encoded, unit, target))
        found.append(Figure(f"{name}: from the emission on", whole, unit, target))
    return found


def main() -> None:
    """Print a table."""
    stream(CASES[0]).until(0.01)
    print(f"million photons per second, target {TARGET_MHZ:g}")
    print(f"{'case':48} {'encoding':>9} {'of copy':>8} {'from emission on':>17}")
    for case in CASES:
        encoded, whole, copied = measure(case)
        print(f"{case.name:48} {encoded:9.1f} {encoded / copied:8.3f} {whole:17.1f}")


if __name__ == "__main__":
    main()
