"""What is kept beside a run that did not go through: the error, the engine, the last traffic."""

import json
import traceback
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labctl.errors import DeviceError, LabctlError
from labctl.host._connection import Connection
from labctl.sequencer import Outcome, Session
from labctl.storage import environment

__all__ = ["keep_black_box"]


def keep_black_box(connection: Connection, session: Session, outcome: Outcome, path: Path) -> None:
    """Write everything that a person needs to understand a failure, as JSON, one exchange a line.

    Args:
        connection: Whose flight recorder is read.
        session: As it stood at the end.
        outcome: How the run ended.
        path: The file.
    """
    clock = session.clock
    found: dict[str, Any] = {
        "status": outcome.status,
        "reason": outcome.reason,
        "t_s": clock.now(),
        "at": clock.utc().isoformat(timespec="milliseconds"),
        "error": _error(outcome.error),
        "engine": _engine(session),
        "safe_state": [asdict(report) for report in outcome.safe],
        "environment": environment(),
    }
    try:
        path.write_text(_lines(found, connection.recorder.dump()), "utf-8")
    except OSError:
        # A full disk must not hide the failure that is being reported.
        return


def _error(error: BaseException | None) -> dict[str, Any] | None:
    if error is None:
        return None
    found: dict[str, Any] = {"type": type(error).__name__, "text": str(error)}
    if isinstance(error, DeviceError):
        found |= {"command": error.command, "reply": error.reply}
    if isinstance(error, LabctlError):
        # Of all errors those that concern one instrument say which, and how to mend it.
        known = {key: getattr(error, key, "") for key in ("device", "remedy")}
        found |= {key: value for key, value in known.items() if value}
    return found | {"trace": traceback.format_exception(error)}


def _engine(session: Session) -> dict[str, Any]:
    return {
        "state": session.control.machine.state,
        "doing": session.doing,
        "points": session.book.points,
        "set": {name: f"{v:g} {unit}".strip() for name, (v, unit) in session.set_values.items()},
        "turns": getattr(session.clock, "turns", 0),
    }


def _lines(found: dict[str, Any], traffic: Iterable[dict[str, Any]]) -> str:
    head = json.dumps(found, indent=1, default=str).removesuffix("\n}")
    exchanges = ",\n  ".join(json.dumps(entry, default=str) for entry in traffic)
    return f'{head},\n "traffic": [\n  {exchanges}\n ]\n}}\n'
