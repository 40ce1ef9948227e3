"""The streams of the benchmarks: light at the rates of real measurements, as records.

A: 10 MHz sync, an emitter of 200 kcps that blinks. B: 80 MHz, 5 Mcps. C: 80 MHz, 100 kcps, so that
a third of the records are overflows. D: 80 MHz, 40 Mcps, the most a HydraHarp 400 delivers. T2 at
1 ps, with 0.2 and 5 Mcps. Delays decay with 1 ns, in bins of 64 ps (A) or 8 ps.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labctl.photons import (
    Decoder,
    Encoder,
    PhotonBlock,
    PtuDescription,
    PtuWriter,
    RecordType,
    Stream,
)

BLOCK = 131_072


@dataclass(frozen=True)
class Case:
    """A stream of records.

    Attributes:
        name: Its letter.
        stream: What the records mean.
        records: The records, uint32.
        photons: How many of them are photons.
    """

    name: str
    stream: Stream
    records: NDArray[np.uint32]
    photons: int

    def blocks(self) -> list[NDArray[np.uint32]]:
        """Return the records as a FIFO gives them."""
        return [self.records[i : i + BLOCK] for i in range(0, len(self.records), BLOCK)]

    def decoded(self) -> list[PhotonBlock]:
        """Return the decoded blocks, each in its own memory."""
        decoder = Decoder(self.stream)
        return [decoder.feed(block).copy() for block in self.blocks()]

    def write(self, folder: Path) -> Path:
        """Write a file that other programs can read."""
        path = folder / f"{self.name}.ptu"
        with PtuWriter(path, describe(self.stream)) as writer:
            writer.append(self.records)
        return path


def describe(stream: Stream) -> PtuDescription:
    """Return a header for records of this kind."""
    created = datetime(2024, 1, 1, tzinfo=UTC)
    return PtuDescription(stream, created, "MultiHarp", "1", 2, 1e7, 100.0)


def t3(name: str, rate_hz: float, sync_hz: float, photons: int, *, blinks: bool = False) -> Case:
    """Return T3 records of an emitter that starts at a pulse with a fixed chance."""
    rng = np.random.default_rng(ord(name))
    sync = np.cumsum(rng.geometric(rate_hz / sync_hz, photons)).astype(np.int64)
    if blinks:
        # Dark a third of the time: 50 ms on, 25 ms off on average.
        on_syncs = rng.exponential(0.05 * sync_hz, photons)
        off_syncs = np.cumsum(rng.exponential(0.025 * sync_hz, photons))
        dark = np.concatenate([[0.0], off_syncs])
        sync += dark[np.searchsorted(np.cumsum(on_syncs), sync)].astype(np.int64)
    bin_s = 64e-12 if sync_hz < 2e7 else 8e-12
    last = round(1 / sync_hz / bin_s) - 1
    delay = np.minimum(rng.exponential(1e-9 / bin_s, photons) + 60, last).astype(np.uint16)
    channel = rng.integers(0, 2, photons).astype(np.uint8)
    records = Encoder(3).feed(sync, channel, delay)
    return Case(name, Stream(RecordType.GENERIC_T3, 1 / sync_hz, bin_s), records, photons)


def t2(name: str, rate_hz: float, photons: int) -> Case:
    """Return T2 records of continuous light on two detectors, ticks of 1 ps."""
    rng = np.random.default_rng(photons)
    time = np.cumsum(rng.geometric(rate_hz * 1e-12, photons)).astype(np.int64)
    channel = rng.integers(0, 2, photons).astype(np.uint8)
    return Case(name, Stream(RecordType.GENERIC_T2, 1e-12), Encoder(2).feed(time, channel), photons)
