"""A run on the terminal: a live progress bar, or plain lines where there is no terminal."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from labctl.events import (
    Event,
    InterlockChanged,
    LiveResult,
    Message,
    MoveFinished,
    MoveStarted,
    PointStored,
    Reading,
    RunStarted,
    RunStopped,
    StateChanged,
)
from labctl.events import Progress as StepProgress

__all__ = ["RunDisplay", "lab_time"]

_COLOURS = {"info": "", "warning": "yellow", "error": "bold red"}


def lab_time(seconds: float) -> str:
    """Return a duration in the words of a lab book: ``2 h 58 min``, ``4 min 10 s``, ``3.2 s``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest_s = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest_s} s"
    return f"{minutes // 60} h {minutes % 60} min"


class _Bar(Progress):
    """A bar with what is going on below it: in one line the counts would leave the window."""

    now = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the two lines."""
        yield self.make_tasks_table(self.tasks)
        yield Text(self.now, no_wrap=True, overflow="ellipsis")


class RunDisplay:
    """Listens to a run and shows it. Use as a context manager around the run."""

    def __init__(self, console: Console) -> None:
        """Show on ``console``; a live bar only if that is a terminal."""
        self._console = console
        self._live = console.is_terminal
        self._progress = _Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("lab time {task.fields[lab]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not self._live,
        )
        self._task = self._progress.add_task("points", total=None, lab="0 s")
        self._began_s = 0.0
        self._planned: int | None = None
        self._told = ""
        self._units: dict[str, str] = {}
        self._tripped: dict[str, str] = {}
        self._now: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal in order."""
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case RunStarted():
                self._began_s = event.t_mono_s
                self._planned = event.points
                self._progress.update(self._task, total=event.points)
                self._say(f"journal {event.journal}")
            case PointStored():
                self._point(event)
            case Reading() | MoveFinished():
                quantity = event.quantity if isinstance(event, Reading) else event.settable
                self._units[quantity] = event.units
                self._now[quantity] = f"{quantity} {event.value:.5g} {event.units}"
            case LiveResult():
                values = [f"{name} {value:.5g}" for name, value in event.values.items()]
                self._now["live"] = ", ".join(values)
            case StepProgress():
                self._now["step"] = event.text
            case InterlockChanged():
                self._interlock(event)
            case Message():
                self._say(f"{event.device}: {event.text}", _COLOURS[event.level])
            case StateChanged():
                if event.reason and event.reason != self._told:
                    self._told = event.reason
                    self._say(f"{event.state}: {event.reason}")
            case RunStopped():
                self._stopped(event)
            case MoveStarted():
                self._now["step"] = f"{event.settable} -> {event.value:g} {event.units}"
        self._refresh(event.t_mono_s)

    def _interlock(self, event: InterlockChanged) -> None:
        if event.state == "tripped":
            text = f"{event.name}: {event.text}"
            self._tripped[event.name] = text
            does = event.action.replace("_", " ")
            rearm = f"; re-arm {event.name!r} when that is mended" if event.latched else ""
            self._say(f"interlock tripped, {does}: {text}{rearm}", "bold red")
        elif self._tripped.pop(event.name, None):
            self._say(f"interlock armed again: {event.name}", "green")
        self._now["interlocks"] = "  ".join(self._tripped.values())

    def _point(self, event: PointStored) -> None:
        self._progress.update(self._task, completed=event.index + 1)
        read = ", ".join(
            f"{name} {_number(value)} {self._units.get(name, '')}".rstrip()
            for name, value in event.read.items()
        )
        self._now["point"] = event.brief
        if not self._live:
            flags = f"  quality {event.quality:#x}" if event.quality else ""
            lab = lab_time(event.t_mono_s - self._began_s)
            self._say(f"point {event.index}: {event.brief}  [{read}]  after {lab}{flags}")

    def _stopped(self, event: RunStopped) -> None:
        for action in event.unsafe:
            self._say(f"NOT SAFE: {action}", "bold red")
        lab = lab_time(event.t_mono_s - self._began_s)
        many = f"{event.points}" if self._planned is None else f"{event.points} of {self._planned}"
        reason = "" if event.reason == self._told else f": {event.reason}"
        self._say(f"{event.status}: {many} points in {lab} of lab time{reason}")

    def _refresh(self, t_s: float) -> None:
        if self._live:
            self._progress.now = "  ".join(filter(None, self._now.values()))
            self._progress.update(self._task, lab=lab_time(t_s - self._began_s))

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style or None, highlight=False, markup=False)


def _number(value: float) -> str:
    """Return four decimals, unless these would show nothing of a small number."""
    return f"{value:.4f}" if value == 0.0 or abs(value) >= 0.01 else f"{value:.3g}"
