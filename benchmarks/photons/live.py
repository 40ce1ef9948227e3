"""A measurement as it runs: records from a FIFO to a file and to every live result."""

from dataclasses import dataclass
from pathlib import Path
from time import process_time

from benchmarks.photons.streams import BLOCK, Case, describe
from labctl.photons import (
    Decays,
    PhotonPipeline,
    PtuWriter,
    PulsedG2,
    StopReason,
    Trace,
    read_ptu,
)

_FIFO_RECORDS = 2 << 20


@dataclass(frozen=True)
class Live:
    """How it went.

    Attributes:
        cpu_s: CPU time of everything, with the raw records written, s.
        written: Records in the file.
        fullest: Largest filling of the FIFO, share of its size.
        share: Share of the photons that the coincidences have seen.
    """

    cpu_s: float
    written: int
    fullest: float
    share: float


def live(case: Case, folder: Path, rate_hz: float | None = None) -> Live:
    """Process a stream; with a rate, as if it came from hardware with a FIFO.

    The FIFO is a model: records come at the rate while each block takes the CPU time that it
    takes. When it is an eighth full the next block is handled in a hurry.
    """
    path = folder / "live.ptu"
    peaks = PulsedG2()
    writer = PtuWriter(path, describe(case.stream))
    pipeline = PhotonPipeline(case.stream, [Decays(case.stream), Trace(case.stream, 0.01), peaks])
    pipeline.writer = writer
    now_s = cpu_s = fullest = 0.0
    for number, block in enumerate(case.blocks(), 1):
        came_s = number * BLOCK / rate_hz if rate_hz else 0.0
        now_s = max(now_s, came_s)
        waiting = (now_s - came_s) * rate_hz / _FIFO_RECORDS if rate_hz else 0.0
        fullest = max(fullest, waiting)
        began_s = process_time()
        pipeline.feed(block, hurry=waiting > 0.125)
        took_s = process_time() - began_s
        now_s, cpu_s = now_s + took_s, cpu_s + took_s
    began_s = process_time()
    writer.close(StopReason.TIME_OVER)
    cpu_s += process_time() - began_s
    written = read_ptu(path).record_count
    path.unlink()
    return Live(cpu_s, written, fullest, peaks.result().books.share)
