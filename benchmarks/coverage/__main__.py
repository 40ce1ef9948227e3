"""Command line: ``python -m benchmarks.coverage``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.coverage import Case, find_cases
from benchmarks.coverage._document import merged, text_table
from benchmarks.coverage._run import run

DOCUMENT = Path(__file__).parents[2] / "docs" / "coverage.md"
_REQUIRED_SEEDS = 100
_WORKERS = 2


def _parser() -> argparse.ArgumentParser:
    about = "Pulls and coverage of every fitted quantity over many seeds."
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=about)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="cases or experiments to run")
    parser.add_argument("--list", action="store_true", help="show the cases")
    parser.add_argument("--seeds", type=int, default=_REQUIRED_SEEDS, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="first of the seeds")
    parser.add_argument("--workers", type=int, default=_WORKERS, metavar="N", help="processes")
    parser.add_argument("--out", type=Path, default=DOCUMENT, metavar="FILE")
    return parser


def _chosen(only: Sequence[str] | None) -> list[Case]:
    cases = find_cases()
    if only is None:
        return list(cases.values())
    chosen = [case for case in cases.values() if {case.name, case.experiment} & set(only)]
    unknown = set(only) - {name for case in chosen for name in (case.name, case.experiment)}
    if unknown:
        names = ", ".join(f"{case.experiment} {case.name}" for case in cases.values())
        msg = f"no case {', '.join(sorted(unknown))}; there are {names}"
        raise SystemExit(msg)
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command; returns the exit status."""
    given = _parser().parse_args(arguments)
    chosen = _chosen(given.only)
    if given.list:
        print("\n".join(f"{case.experiment} {case.name}" for case in chosen))
        return 0
    seeds = range(given.first, given.first + given.seeds)
    sections = run(chosen, seeds, given.workers)
    for section in sections:
        print(f"{section.heading}\n{text_table(section.table)}\n")
    if len(seeds) == _REQUIRED_SEEDS:
        page = merged(given.out, sections, find_cases())
        given.out.write_text(page, "utf-8", newline="\n")
    return int(any(row.outside for section in sections for row in section.table))


if __name__ == "__main__":
    sys.exit(main())
