"""The page ``docs/coverage.md``: one section per case and set of seeds, renewed one by one."""

import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.coverage._case import Case
from benchmarks.coverage._rows import Row

__all__ = ["Section", "merged", "text_table"]

_VERSIONS = ("labctl", "numpy", "scipy")
_HEAD = ("quantity", "mean", "sd", "68 %", "95 %", "")
_HEADING = re.compile(r"^## (?P<experiment>\S+) (?P<case>\S+), seeds (?P<first>\d+) to \d+$")


@dataclass(frozen=True)
class Section:
    """The result of one case.

    Attributes:
        case: What was run.
        seeds: With which seeds.
        table: One row per quantity.
    """

    case: Case
    seeds: range
    table: Sequence[Row]

    @property
    def heading(self) -> str:
        """Line that begins the section, and names it."""
        name = f"{self.case.experiment} {self.case.name}"
        return f"## {name}, seeds {self.seeds[0]} to {self.seeds[-1]}"

    def markdown(self) -> str:
        """Return the section."""
        packages = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
        date = datetime.now(UTC).date().isoformat()
        return _SECTION.format(
            heading=self.heading,
            date=date,
            packages=f"Python {platform.python_version()}, {packages}",
            about=self.case.about.strip() if self.seeds[0] == 0 else _AS_ABOVE,
            rows="\n".join(f"| {' | '.join(row.cells())} |" for row in self.table),
        )


def text_table(table: Sequence[Row]) -> str:
    """Return the rows as text for a terminal."""
    width = max(len(row.name) for row in table)
    lines = [_HEAD, *(row.cells() for row in table)]
    return "\n".join(f"{a:{width}} {b:>7} {c:>6} {d:>6} {e:>6}  {f}" for a, b, c, d, e, f in lines)


def merged(page: Path, new: Iterable[Section], cases: Mapping[str, Case]) -> str:
    """Return the page with these sections renewed.

    Args:
        page: What is there already; need not exist.
        new: Sections that replace those of the same heading.
        cases: All cases; a section of another case is dropped.
    """
    old = page.read_text("utf-8").split("\n## ")[1:] if page.exists() else []
    texts = {f"## {text}".splitlines()[0]: f"## {text}".strip() for text in old}
    texts |= {section.heading: section.markdown().strip() for section in new}
    kept = [(_order(heading), text) for heading, text in texts.items()]
    sections = [text for order, text in sorted(kept) if order[1] in cases]
    return "\n\n".join([_TOP.strip(), *sections]) + "\n"


def _order(heading: str) -> tuple[str, str, int]:
    """Return experiment, case and first seed; empty names for a heading not written here."""
    found = _HEADING.match(heading)
    return (found["experiment"], found["case"], int(found["first"])) if found else ("", "", 0)


_TOP = """\
# Honest errors

Written by `make coverage`; do not edit.

A pull is (fit - truth) / standard error. Required over 100 seeds: |mean| < 0.4, standard deviation
0.75 to 1.3, truth within one standard error for 54 to 82 of 100 seeds (68 %), within 1.96 for 88
to 100 (95 %). Nothing that is fitted reads the truth.

The requirement names seeds 0 to 99. Where estimators were improved while these very seeds were
looked at, they are no independent check; sections with other seeds are. Perfect normal errors
would put the shares of one row in about 300 outside by chance.
"""

_AS_ABOVE = "As above, with other seeds than those that the estimators were improved with."

_SECTION = """\
{heading}

**{date}**; {packages}.

{about}

| quantity | mean | sd | 68 % | 95 % | |
|---|---|---|---|---|---|
{rows}
"""
