"""`make survey`: 203 dots of seven batches on the simulated open-loop stage, judged."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.survey import BATCHES, Job, Verdict, summary, survey_all

_LEAST_FOUND, _MOST_FALSE = 0.90, 0.02
_MOST_MIN = 10.0
_MOST_RECORDS, _MOST_BYTES = 1e8, 1e9


def main() -> int:
    """Survey, print, judge; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dots", type=int, default=29, help="dots in each batch")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the runs; else they are thrown away")
    asked = parser.parse_args()
    began_s = perf_counter()
    jobs = [Job(batch, asked.dots, asked.dots) for batch in BATCHES]
    with TemporaryDirectory() as thrown_away:
        folder = asked.keep or Path(thrown_away)
        folder.mkdir(parents=True, exist_ok=True)
        verdicts = survey_all(jobs, folder, asked.processes)
    minutes = (perf_counter() - began_s) / 60.0
    for verdict in verdicts:
        print(verdict.line())
        for text in verdict.left_out:
            print(f"    {text}")
    print(f"{summary(verdicts)}; {minutes:.1f} min")
    return 0 if _good(verdicts, minutes) else 1


def _good(verdicts: list[Verdict], minutes: float) -> bool:
    true, measured = sum(v.true for v in verdicts), sum(v.measured for v in verdicts)
    found, false = sum(v.found for v in verdicts), sum(len(v.false) for v in verdicts)
    confused = sum(len(v.confused) for v in verdicts)
    enough = found >= _LEAST_FOUND * true and false <= _MOST_FALSE * measured
    small = sum(v.records for v in verdicts) <= _MOST_RECORDS
    small = small and sum(v.stored_bytes for v in verdicts) <= _MOST_BYTES
    return enough and small and not confused and minutes <= _MOST_MIN


if __name__ == "__main__":
    sys.exit(main())
