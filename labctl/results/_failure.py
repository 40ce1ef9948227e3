"""The story of a run that did not go through, as far as its files tell it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labctl.errors import StorageError
from labctl.storage import Run, RunFolder, RunStatus, read_run

__all__ = ["Failure", "read_failure"]

_WITHOUT_A_WORD = "the process that measured ended without a word: killed, crashed or switched off"
_ENDED_WELL = frozenset({RunStatus.COMPLETE, RunStatus.RUNNING})
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """What is known of a failure; texts are empty and sequences too where nothing is known.

    Attributes:
        run: The run.
        failed: Whether it failed at all.
        reason: In words.
        device: The instrument that it is about.
        command: What it was asked.
        reply: What came back.
        remedy: What a person can do about the instrument.
        doing: What the engine was doing.
        at_s: When, s since the run began; None if that is not known.
        set_values: What was set, with units.
        done: What was done about it, in order.
        before: What was said before: s since the run began, level, device, text.
        traffic: Last exchanges of all instruments, oldest first, as the flight recorder gives them.
        next_steps: Commands that help now.
    """

    run: Run
    failed: bool
    reason: str
    device: str = ""
    command: str = ""
    reply: str = ""
    remedy: str = ""
    doing: str = ""
    at_s: float | None = None
    set_values: Facts = field(default_factory=dict[str, Any])
    done: Sequence[str] = ()
    before: Sequence[tuple[float, str, str, str]] = ()
    traffic: Sequence[Facts] = ()
    next_steps: Sequence[str] = ()

    def of_device(self) -> list[Facts]:
        """Return the exchanges of the instrument that it is about."""
        return [entry for entry in self.traffic if entry.get("device") == self.device]

    def last_said(self) -> str:
        """Return the last thing that the instrument said, in its own words; empty: nothing."""
        for entry in reversed(self.of_device()):
            if "received" in entry:
                return repr(entry["received"])
            if "called" in entry:
                return f"{entry['called']} returned {entry['returned']!r}"
        return ""


def read_failure(path: Path) -> Failure:
    """Read what the files of a run tell about its failure.

    Args:
        path: Run folder, journal or product.

    Raises:
        StorageError: There is no run.
    """
    run = read_run(path)
    folder = RunFolder(run.path.parent)
    box = _newest(folder.path, "_failure.json")
    supervisor = _newest(folder.path, "_supervisor.json")
    error: Facts = box.get("error") or {}
    engine: Facts = box.get("engine") or {}
    return Failure(
        run=run,
        failed=run.status not in _ENDED_WELL,
        reason=_reason(run, box),
        device=str(error.get("device", "")),
        command=str(error.get("command", "")),
        reply=str(error.get("reply", "")),
        remedy=str(error.get("remedy", "")),
        doing=str(engine.get("doing", "")),
        at_s=_when(run),
        set_values=engine.get("set") or {},
        done=[*_made_safe(box, "the engine"), *_rescued(supervisor), *_kept(run)],
        before=[
            (event.time_s, event.level, event.device, event.message)
            for event in run.events
            if event.level in ("warning", "error")
        ],
        traffic=box.get("traffic") or (),
        next_steps=_next(run, folder),
    )


def _newest(folder: Path, suffix: str) -> Facts:
    """Return the newest file of a run with this end of its name; empty if there is none."""
    found = sorted(folder.glob(f"*{suffix}"), key=lambda path: path.stat().st_mtime)
    if not found:
        return {}
    try:
        return json.loads(found[-1].read_text("utf-8"))
    except (OSError, ValueError) as error:
        message = f"{found[-1]} cannot be read: {error}"
        raise StorageError(message) from error


def _reason(run: Run, box: Facts) -> str:
    if run.status in (RunStatus.CRASHED, RunStatus.RECOVERED):
        return _WITHOUT_A_WORD
    return str((run.stop or {}).get("reason") or box.get("reason") or "")


def _when(run: Run) -> float | None:
    return run.events[-1].time_s if run.events else None


def _made_safe(box: Facts, who: str) -> list[str]:
    return [_entry(who, report) for report in box.get("safe_state") or ()]


def _entry(who: str, report: Facts) -> str:
    tries = int(report.get("tries", 1))
    times = f", {tries} tries" if tries > 1 else ""
    if report.get("error"):
        return f"{who}: {report['action']}: NOT SAFE: {report['error']}{times}"
    return f"{who}: {report['action']}: done and read back{times}"


def _rescued(supervisor: Facts) -> list[str]:
    if not supervisor:
        return []
    engine: Facts = supervisor.get("engine") or {}
    ended = engine.get("ended", "")
    found = [f"the supervisor saw: {supervisor['why']} ({supervisor['at']}; process {ended})"]
    if supervisor.get("failure"):
        found.append(f"the supervisor: NOT SAFE: {supervisor['failure']}")
    return found + [_entry("the supervisor", r) for r in supervisor.get("safe_state") or ()]


def _kept(run: Run) -> list[str]:
    points = int(run.points.sizes.get("point", 0))
    count = "1 point is" if points == 1 else f"{points} points are"
    return [f"{count} safe in {run.path}"]


def _next(run: Run, folder: RunFolder) -> list[str]:
    if run.status in _ENDED_WELL:
        return []
    recover = [] if folder.product() else [f"labctl recover {folder.path}"]
    return [*recover, f"labctl resume {folder.path}"]
