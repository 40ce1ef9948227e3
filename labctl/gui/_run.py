"""The run that goes on: how far it is, when it ends, and what it can be told; what waits."""

from functools import partial
from time import monotonic
from typing import Any

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
)

from labctl.events import (
    Abort,
    Command,
    Event,
    LiveResult,
    MoveStarted,
    Pause,
    PointStored,
    Progress,
    Resume,
    RunStarted,
    RunStopped,
    Skip,
    Stop,
)
from labctl.gui._engine import Engine
from labctl.gui._panel import Panel, ReadOut, set_tone
from labctl.gui._words import at_time, duration, local_now, several

__all__ = ["RunPanel"]

_BEAT_MS = 1000
_ENDED = ("idle", "done", "aborted", "failed")


class RunPanel(Panel):
    """Progress, commands, queue."""

    def __init__(self, engine: Engine) -> None:
        """Show the run of an engine."""
        super().__init__(engine)
        self.title = ReadOut("no run")
        self.state = QLabel()
        self.bar = QProgressBar()
        self.end = ReadOut()
        self.step = ReadOut()
        self.policy = QComboBox()
        self.policy.addItems(["finish", "bank", "repeat"])
        self.policy.setToolTip(
            "Pause after the point; or now and keep what has come; or now and repeat the point"
        )
        self.queue = QListWidget()
        self.queue.setToolTip("What waits; the first is carried out next")
        self._began_s = monotonic()
        self._build()
        self._beat = QTimer(self)
        self._beat.setInterval(_BEAT_MS)
        self._beat.timeout.connect(self._show_end)
        self._beat.start()
        engine.happened.connect(self._hear)
        engine.changed.connect(self._show)
        engine.roles_changed.connect(self._show)
        self._show()

    def _build(self) -> None:
        commands = QHBoxLayout()
        self.buttons: dict[str, QPushButton] = {}
        for name, tip, do in (
            ("Pause", "Pause (Ctrl+P); the light is put out", self.pause),
            ("Resume", "Go on", partial(self._command, Resume())),
            ("Skip", "Leave the present step", partial(self._command, Skip())),
            ("Stop", "End the run after the present point", partial(self._command, Stop())),
            ("Abort", "End the run now", partial(self._command, Abort())),
        ):
            button = QPushButton(name)
            button.setToolTip(tip)
            button.clicked.connect(do)
            self.buttons[name] = button
            commands.addWidget(button)
        order = QHBoxLayout()
        order.addWidget(QLabel("pause"))
        order.addWidget(self.policy)
        order.addStretch(1)
        order.addWidget(QLabel("queue"))
        self.up, self.down, self.remove = (QPushButton(n) for n in ("Up", "Down", "Remove"))
        for button, tip, do in (
            (self.up, "Earlier", partial(self._move, -1)),
            (self.down, "Later", partial(self._move, 1)),
            (self.remove, "Take it out of the queue", self._remove),
        ):
            button.setToolTip(tip)
            button.clicked.connect(do)
            order.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        for widget in (self.title, self.state, self.bar, self.end, self.step):
            layout.addWidget(widget)
        layout.addLayout(commands)
        layout.addLayout(order)
        layout.addWidget(self.queue, 1)

    def pause(self) -> None:
        """Pause with the policy that is chosen."""
        policy: Any = self.policy.currentText()
        self.engine.command(Pause(policy=policy))

    def _command(self, command: Command, _: bool = False) -> None:
        self.engine.command(command)

    def _hear(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._began_s = monotonic()
                self.step.setText("")
            case MoveStarted():
                self.step.setText(f"{event.settable} → {event.value:g} {event.units}")
            case Progress():
                self.step.setText(event.text)
            case LiveResult():
                words = [f"{name} {value:.5g}" for name, value in event.values.items()]
                self.step.setText(", ".join(words))
            case PointStored():
                self.step.setText(f"point {event.index + 1}: {event.brief}")
            case RunStopped():
                self.step.setText(event.reason)
            case _:
                pass
        if not isinstance(event, Progress | LiveResult):
            self._show()

    def _show(self) -> None:
        run = self.engine.run
        self.title.setText(f"<b>{run.name}</b>  {run.run}" if run.run else "no run yet")
        self.state.setText(run.state)
        tone = {"running": "good", "done": "good", "failed": "bad", "aborted": "warn"}
        set_tone(self.state, tone.get(run.state, "warn" if run.run else "faint"))
        self.bar.setFormat("%v of %m points" if run.run else "")
        self.bar.setMaximum(max(run.expected or run.points, 1))
        self.bar.setValue(run.points)
        going = run.state not in _ENDED
        for name, button in self.buttons.items():
            paused = run.state in ("paused", "pausing")
            button.setEnabled(going and (paused if name == "Resume" else True))
        self._show_queue()
        self._show_end()

    def _show_end(self) -> None:
        run, started = self.engine.run, self.engine.started
        if started is None or run.state in _ENDED:
            self.end.setText("")
            return
        now = local_now()
        passed_s = (now - started.t_utc).total_seconds()
        speed = float(self.engine.status.get("speed", 1.0))
        left_s = self._left_s(passed_s, speed)
        words = f"running for {duration(passed_s)}"
        if left_s is not None:
            words += f", about {duration(left_s)} left, ends about {at_time(now, left_s)}"
        self.end.setText(words)

    def _left_s(self, passed_s: float, speed: float) -> float | None:
        """Return the time that is left, s of life: the estimate, corrected by the progress."""
        run, started = self.engine.run, self.engine.started
        if started is None:
            return None
        planned_s = None if started.expected_s is None else started.expected_s / speed
        if run.expected and run.points:
            by_points_s = passed_s * (run.expected - run.points) / run.points
            if planned_s is None:
                return by_points_s
            share = run.points / run.expected
            return share * by_points_s + (1 - share) * max(planned_s - passed_s, 0.0)
        return None if planned_s is None else max(planned_s - passed_s, 0.0)

    def _show_queue(self) -> None:
        entries = self.engine.status.get("queue", [])
        chosen = self._chosen()
        self.queue.clear()
        for entry in entries:
            time = duration(entry["expected_s"]) if entry["expected_s"] is not None else "?"
            item = QListWidgetItem(f"{entry['name']}: {_points(entry['points'])}, {time}")
            item.setData(Qt.ItemDataRole.UserRole, entry["number"])
            item.setToolTip(entry["recipe"])
            self.queue.addItem(item)
            if entry["number"] == chosen:
                self.queue.setCurrentItem(item)

    def _chosen(self) -> int | None:
        chosen = self.queue.selectedItems()
        return int(chosen[0].data(Qt.ItemDataRole.UserRole)) if chosen else None

    def _move(self, by: int, _: bool = False) -> None:
        number = self._chosen()
        if number is not None:
            place = max(self.queue.currentRow() + by, 0)
            self.engine.ask("queue_move", number=number, place=place)

    def _remove(self) -> None:
        number = self._chosen()
        if number is not None:
            self.engine.ask("queue_remove", number=number)


def _points(number: int | None) -> str:
    """Return how many points a recipe has, as far as it is known before."""
    return "? points" if number is None else several(number, "point")
