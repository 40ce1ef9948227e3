"""``labctl run --json``: what happens as JSON lines, for programs that look on."""

import json
from typing import Any

from labctl.errors import ConfigError, LabctlError, Problem
from labctl.events import Event
from labctl.host import RunReport

__all__ = ["failure_line", "print_event", "print_line", "report_line"]


def print_line(content: dict[str, Any]) -> None:
    """Write one object as one line, at once."""
    print(json.dumps(content, ensure_ascii=False, default=str), flush=True)


def print_event(event: Event) -> None:
    """Write an event as the journal's listeners get it; ``kind`` says which."""
    print(event.model_dump_json(), flush=True)


def report_line(report: RunReport) -> dict[str, Any]:
    """Return the last line of a run that was begun."""
    outcome = report.outcome
    return {
        "kind": "result",
        "run": report.uid,
        "status": outcome.status,
        "reason": outcome.reason,
        "skipped": outcome.skipped,
        "unsafe": list(outcome.unsafe),
        "journal": str(report.journal),
        "product": str(report.product) if report.product else None,
        "problems": [],
    }


def failure_line(error: LabctlError) -> dict[str, Any]:
    """Return the last line of a run that was never begun."""
    refused = isinstance(error, ConfigError)
    problems = error.problems if isinstance(error, ConfigError) else (Problem(str(error)),)
    return {
        "kind": "result",
        "run": None,
        "status": "refused" if refused else "failed",
        "reason": "the input is wrong" if refused else str(error),
        "skipped": 0,
        "unsafe": [],
        "journal": None,
        "product": None,
        "problems": [
            {"what": problem.what, "where": problem.where, "hint": problem.hint}
            for problem in problems
        ],
    }
