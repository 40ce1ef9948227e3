"""``labctl report-failure``: which device, what was asked, what it said, what was done about it."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from labctl.cli._display import lab_time
from labctl.cli._say import say_data, screen
from labctl.results import Failure, read_failure

__all__ = ["report_failure"]


def report_failure(
    run: Annotated[Path, typer.Argument(help="Run folder, journal or product.")],
    device: Annotated[
        str, typer.Option(help="Show the traffic of this instrument instead; 'all': of all.")
    ] = "",
    lines: Annotated[int, typer.Option(min=0, help="Lines of traffic, and of before.")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON.")] = False,
) -> None:
    """Tell the story of a run that failed, was aborted, or whose process died."""
    failure = read_failure(run)
    if as_json:
        say_data(_plain(failure))
        return
    console = screen()
    _head(console, failure)
    if failure.failed:
        _what(console, failure)
        _lists(console, failure, lines)
        _traffic(console, failure, device, lines)
        for command in failure.next_steps:
            console.print(f"next: {command}")


def _head(console: Console, failure: Failure) -> None:
    run = failure.run
    where = "simulated" if run.start.get("simulated") else str(run.start["setup"]["name"])
    console.print(f"{run.name} ({run.uid}), {where}: {run.status.value}")
    if not failure.failed:
        console.print("nothing has failed")


def _what(console: Console, failure: Failure) -> None:
    when = "" if failure.at_s is None else f", {lab_time(failure.at_s)} after the start"
    told = {
        "what went wrong": failure.reason,
        "which device": failure.device,
        "what was asked": failure.command,
        "what came back": failure.reply,
        "what it said last": failure.last_said(),
        "meanwhile": f"{failure.doing}{when}" if failure.doing else when.removeprefix(", "),
        "what was set": ", ".join(f"{k} = {v}" for k, v in failure.set_values.items()),
        "what helps": failure.remedy,
    }
    for name, text in told.items():
        if text:
            console.print(f"{name}: {text}")


def _lists(console: Console, failure: Failure, lines: int) -> None:
    console.print("what was done about it:")
    for text in failure.done:
        console.print(f"  {text}")
    if failure.before and lines:
        console.print("what had been said:")
    for at_s, level, device, text in failure.before[-lines:] if lines else ():
        said = text if text.startswith(device) else f"{device}: {text}"
        console.print(f"  {lab_time(at_s)}  {level}  {said}")


def _traffic(console: Console, failure: Failure, device: str, lines: int) -> None:
    name = device or failure.device
    found = [e for e in failure.traffic if name == "all" or e.get("device") == name]
    if not found or not lines:
        return
    console.print(f"last traffic of {name}:")
    for entry in found[-lines:]:
        console.print(f"  {entry['t_s']:12.6f} s  {entry['device']}  {_exchange(entry)}")


def _exchange(entry: Any) -> str:
    if "sent" in entry:
        return f"> {entry['sent']!r}"
    if "received" in entry:
        return f"< {entry['received']!r}"
    if "called" in entry:
        given = ", ".join(map(repr, entry["arguments"]))
        return f"{entry['called']}({given}) = {entry['returned']!r}"
    return f"- {entry.get('note', '')}"


def _plain(failure: Failure) -> dict[str, Any]:
    return {
        "run": failure.run.uid,
        "name": failure.run.name,
        "status": failure.run.status.value,
        "failed": failure.failed,
        "reason": failure.reason,
        "device": failure.device,
        "command": failure.command,
        "reply": failure.reply,
        "last_said": failure.last_said(),
        "remedy": failure.remedy,
        "doing": failure.doing,
        "at_s": failure.at_s,
        "set": dict(failure.set_values),
        "done": list(failure.done),
        "before": [
            {"t_s": t, "level": level, "device": device, "text": text}
            for t, level, device, text in failure.before
        ],
        "traffic": list(failure.traffic),
        "next": list(failure.next_steps),
    }
