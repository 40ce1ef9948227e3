"""Figures beside their targets: printed, stored as JSON, and written as a dated table."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from operator import ge, gt, le, lt
from pathlib import Path

_COMPARE = {"<=": le, "<": lt, ">=": ge, ">": gt}
_OURS = ("labctl", "numpy", "pydantic", "h5py", "numba")


@dataclass(frozen=True)
class Figure:
    """One result.

    Attributes:
        name: What was measured.
        value: The result; None if it could not be measured here.
        unit: Its unit; ``x`` for a ratio.
        target: What is asked for, like ``"<= 0.1"``; empty if it only stands beside.
    """

    name: str
    value: float | None
    unit: str
    target: str = ""

    @property
    def met(self) -> bool:
        """Whether there is no target or the value meets it."""
        if not self.target or self.value is None:
            return True
        sign, _, number = self.target.partition(" ")
        return bool(_COMPARE[sign](self.value, float(number)))

    @property
    def verdict(self) -> str:
        """Return the verdict in a word; empty without a target."""
        if not self.target:
            return ""
        if self.value is None:
            return "not measured"
        return "met" if self.met else "MISSED"

    def cells(self) -> tuple[str, str, str, str]:
        """Return the row of the table."""
        value = "–" if self.value is None else f"{self.value:.3g} {self.unit}"
        target = f"{self.target} {self.unit}" if self.target else ""
        return self.name, value, target, self.verdict


def machine() -> dict[str, str]:
    """Return what the figures depend on besides the code."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load before": f"{load:.1f}",
        "Python": platform.python_version(),
    }


def own_versions() -> dict[str, str]:
    """Return the versions of labctl and of what it stands on."""
    return {name: version(name) for name in _OURS}


def text_table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines of text."""
    rows = [("figure", "value", "target", "verdict"), *(figure.cells() for figure in figures)]
    name, value, target, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(f"{n:{name}}  {v:>{value}}  {t:>{target}}  {word}" for n, v, t, word in rows)


def document(
    figures: Sequence[Figure],
    about: Mapping[str, str],
    versions: Mapping[str, str],
    page: str = "",
) -> str:
    """Return the page that the documentation shows; by default that of the engine."""
    rows = "\n".join(f"| {' | '.join(figure.cells())} |" for figure in figures)
    facts = ", ".join(f"{name} {value}" for name, value in about.items())
    packages = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (page or _PAGE).format(
        date=datetime.now(UTC).date().isoformat(), facts=facts, packages=packages, rows=rows
    )


def as_json(
    figures: Sequence[Figure], about: Mapping[str, str], versions: Mapping[str, str]
) -> str:
    """Return everything as JSON."""
    data = {
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(about),
        "versions": dict(versions),
        "figures": [{**asdict(figure), "verdict": figure.verdict} for figure in figures],
    }
    return json.dumps(data, indent=2) + "\n"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if sys.platform == "linux" and info.exists():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


_PAGE = """\
# Benchmarks

Written by `make bench`; do not edit. What each figure means stands below the table. Photons have
[a page of their own](benchmarks_photons.md).

**{date}**: {facts}.
{packages}.

| figure | value | target | |
|---|---|---|---|
{rows}

## What is measured

Everything is measured in one run on one machine, in rounds: each round measures every case once,
and the medians count. A point is a move of one axis, a trigger, a wait for the detector, and the
storage of one float or of 1600 float64. Instruments are fakes that answer at once. Absolute times
depend on the machine and on what else it does; ratios depend on it less.

- *Overhead*: engine with journal (real clock, lazily expanded recipe, one listener) minus a bare
  loop that moves and reads the same fakes and writes the very bytes that the engine has just
  written, one write and one sync per point; they take turns of 200 points. *Not synced*: neither
  waits for the disk. *Last tenth over first tenth* shows whether a long run becomes slower.
  The target of 0.1 ms was set on a machine on which Bluesky's scan without a writer takes 1.16 ms
  per float and 1.24 ms per spectrum. *This machine over the reference* is what it takes here, in
  the same rounds, over that; *over the machine's slowness* is the overhead divided by it. Both
  numbers are judged.
- *Nested over flat*: a scan of two axes over a scan of one, per point, with sync.
- *Engine alone*: no storage at all, beside Bluesky without any writer.
- *On the disk at every point*: each program with one sync per point added to its own way of
  storing: Bluesky's documented scan with the faster of an HDF5 and a lean raw writer, QCoDeS with
  known shapes, PyMeasure with 1600 columns. *Own default* is the same without the sync, which
  means that an outage of power costs the points of the last seconds.
- *Least messages*: the cheapest plan that Bluesky's interface allows, which none of its users
  writes.
- *Pause* and *abort*: wall time from posting the command until it has taken effect while the
  engine waits for a detector; the slowest of all rounds.
- *Lab time over wall time*: the demo's recipe in virtual time, from the request to the finished
  product; *demo* is the whole command with start-up, analysis and figure.
"""
