"""The books of a point of photons: what was counted, what was lost, and what is in doubt."""

from collections.abc import Sequence
from typing import Any

from labctl.measurements._optical_table import LaserFacts
from labctl.measurements._photon_job import Job, Part

__all__ = ["FLAGGED", "photon_books", "quality_of"]

FIFO_FULL, SYNC_BAD, RATE_HIGH = 1 << 3, 1 << 4, 1 << 5
FLAGGED = {"fifo_full": FIFO_FULL, "sync_lost": SYNC_BAD, "reference_lost": SYNC_BAD}
_PILE_UP = 0.05
"""More photons per pulse than this shorten a decay visibly (the vendors' rule)."""


def photon_books(job: Job, parts: Sequence[Part], laser: LaserFacts | None) -> dict[str, Any]:
    """Return counts, losses and flags of all parts together; plain JSON, keys with units."""
    live_s = sum(part.live_s for part in parts)
    books = [part.books for part in parts]
    counts = _total(job, parts)
    rates_hz = {name: count / max(live_s, 1e-9) for name, count in counts.items()}
    pulses_hz = laser.rep_rate_hz if laser is not None else None
    found: dict[str, Any] = {
        "counts": sum(counts.values()),
        "detectors": {
            d.name: {
                "counts": counts[d.name],
                "count_rate_hz": rates_hz[d.name],
                "dark_rate_hz": _dark(parts, d.name),
                "dead_time_fraction": _dead(job, d.facts.dead_time_ns, rates_hz[d.name]),
                "pile_up_fraction": rates_hz[d.name] / pulses_hz if pulses_hz else None,
            }
            for d in job.detectors
        },
        "records": sum(b.records for b in books),
        "overflows": sum(b.overflows for b in books),
        "markers": sum(b.markers for b in books),
        "invalid_records": sum(b.invalid_records for b in books),
        "hurried_records": sum(b.hurried_records for b in books),
        "flags": sorted({word for part in parts for word in part.flags.words()}),
        "live_time_s": live_s,
        "parts": [{"file": p.path.name, "live_time_s": p.live_s} for p in parts],
    }
    found["doubts"] = _doubts(job, found)
    return found


def quality_of(job: Job, parts: Sequence[Part]) -> int:
    """Return the quality bits of a point."""
    live_s = sum(part.live_s for part in parts)
    bits = 0
    for part in parts:
        for word in part.flags.words():
            bits |= FLAGGED.get(word, 0)
    for detector in job.detectors:
        if _total(job, parts)[detector.name] > detector.warn_rate_hz * max(live_s, 1e-9):
            bits |= RATE_HIGH
    return bits


def _total(job: Job, parts: Sequence[Part]) -> dict[str, int]:
    each = [job.counted(part.books) for part in parts]
    return {d.name: sum(counts[d.name] for counts in each) for d in job.detectors}


def _dark(parts: Sequence[Part], name: str) -> float:
    # A part that was paused before its light has none.
    found = [part.dark_hz[name] for part in parts if name in part.dark_hz]
    return sum(found) / len(found)


def _dead(job: Job, detector_ns: float, rate_hz: float) -> float:
    """Return the share of photons lost in dead times, m tau for the rate m as it was counted."""
    return min(rate_hz * 1e-9 * max(detector_ns, job.tagger.dead_time_ns()), 1.0)


def _doubts(job: Job, found: dict[str, Any]) -> list[str]:
    doubts = [f"flag {word} during the acquisition" for word in found["flags"]]
    for name, entry in found["detectors"].items():
        share = entry["pile_up_fraction"]
        if job.settings.mode == "t3" and share is not None and share > _PILE_UP:
            doubts.append(f"{name}: {share:.1%} of the pulses give a photon: pile-up")
    for detector in job.detectors:
        rate_hz = found["detectors"][detector.name]["count_rate_hz"]
        if rate_hz > detector.warn_rate_hz:
            doubts.append(f"{detector.name}: {rate_hz:.3g} Hz are more than is good for it")
    if found["hurried_records"]:
        share = found["hurried_records"] / max(found["records"], 1)
        doubts.append(f"{share:.1%} of the records came too fast for live correlations")
    return doubts
