"""Found, false and confused dots of a survey, against what the world says."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.survey._witness import Sighting, Witness
from labctl.measurements import stored_dots
from labctl.photons import read_ptu
from labctl.storage import Run

__all__ = ["IN_SPOT_UM", "Verdict", "judge", "summary"]

IN_SPOT_UM = 0.35
"""A dot within it is in the spot: the standard deviation of the collected light (assumed)."""
_POINTS = ("spectrum", "trpl", "g2")


@dataclass(frozen=True)
class Verdict:
    """What a survey is worth.

    Attributes:
        batch: Name of the batch.
        true: Number of dots in the sample.
        listed: Number of dots that the finder has listed.
        measured: Number of dots of which spectrum, decay and coincidences are stored.
        found: Number of true dots among those.
        false: Measured dots with no true dot in the spot.
        confused: Measured dots whose points belong to several true ones, or to one that another
            measured dot has, too.
        left_out: In words, dots that were listed and left out.
        records: Number of records of time tags that are stored.
        stored_bytes: Size of all files of the run.
        wall_s: Wall time, s.
        cpu_s: Time of the processor in this process, s.
    """

    batch: str
    true: int
    listed: int
    measured: int
    found: int
    false: tuple[str, ...]
    confused: tuple[str, ...]
    left_out: tuple[str, ...]
    records: int
    stored_bytes: int
    wall_s: float
    cpu_s: float

    def line(self) -> str:
        """Return a row of the report."""
        return (
            f"{self.batch:16} {self.true:4} dots, {self.listed:4} listed,"
            f" {self.measured:4} measured, {self.found:4} found,"
            f" {len(self.false):2} false, {len(self.confused):2} confused,"
            f" {self.records / 1e6:.1f} M records, {self.stored_bytes / 1e6:.0f} MB,"
            f" {self.wall_s:6.1f} s ({self.cpu_s:.1f} s of processor)"
        )


def judge(batch: str, run: Run, witness: Witness, wall_s: float, cpu_s: float) -> Verdict:
    """Compare the stored points with what the witness has noted."""
    seen: dict[str, list[Sighting]] = defaultdict(list)
    kinds: dict[str, set[str]] = defaultdict(set)
    points = run.points
    names, measured = points["dot_name"].values.tolist(), points["measurement"].values.tolist()
    for index, (name, kind) in enumerate(zip(names, measured, strict=True)):
        if name:
            seen[name].append(witness.sightings[index])
            kinds[name].add(kind)
    whole = {name: seen[name] for name in seen if set(_POINTS) <= kinds[name]}
    false = [n for n, every in whole.items() if max(s.apart_um for s in every) > IN_SPOT_UM]
    owners: dict[str, set[str]] = defaultdict(set)
    for name, every in whole.items():
        for one in every:
            owners[one.dot].add(name)
    confused = {
        name
        for name, every in whole.items()
        if len({one.dot for one in every}) > 1 or any(len(owners[one.dot]) > 1 for one in every)
    }
    found = {every[0].dot for name, every in whole.items() if name not in false}
    dots = [dot for record in run.found if record["what"] == "dots" for dot in stored_dots(record)]
    reasons = [e.message for e in run.events if "gone or bleached" in e.message]
    return Verdict(
        batch,
        len(witness.dots),
        len(dots),
        len(whole),
        len(found),
        tuple(false),
        tuple(sorted(confused)),
        tuple(reasons),
        *_size(run),
        wall_s,
        cpu_s,
    )


def _size(run: Run) -> tuple[int, int]:
    """Return number of records and size of all files, told by the files themselves."""
    files = [p for p in run.path.parent.iterdir() if p.name.startswith(run.path.stem)]
    records = sum(read_ptu(p).record_count for p in files if p.suffix == ".ptu")
    return records, sum(path.stat().st_size for path in files)


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return the last line of the report."""
    true, measured = (sum(getattr(v, name) for v in verdicts) for name in ("true", "measured"))
    found = sum(v.found for v in verdicts)
    false, confused = (
        sum(len(getattr(v, name)) for v in verdicts) for name in ("false", "confused")
    )
    return (
        f"{found} of {true} dots found ({100 * found / true:.1f} %), {false} of {measured} false, "
        f"{confused} confused, {sum(v.records for v in verdicts) / 1e6:.1f} M records, "
        f"{sum(v.stored_bytes for v in verdicts) / 1e6:.0f} MB"
    )
