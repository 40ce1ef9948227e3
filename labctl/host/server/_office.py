"""Carries out what windows ask for: at once where it is quick, in turn where it takes a while."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, cast

from pydantic import ValidationError

from labctl.channels import Head, pack
from labctl.errors import ConfigError, LabctlError, RefusedError
from labctl.events import decode_command
from labctl.host.server._audience import Window
from labctl.host.server._board import Board
from labctl.host.server._checking import check_recipe, queue_entry, resume_entry
from labctl.host.server._panel import Panel
from labctl.host.server._queue import RunQueue
from labctl.host.server._red import RedStop
from labctl.host.server._request import EngineRequest
from labctl.host.server._views import live_view
from labctl.host.server._work import Work
from labctl.setup import Setup
from labctl.stations import Station

__all__ = ["Office"]

_RED_LATER_S = 10.0

Verb = Callable[..., Any]


class Office:
    """Knows the verbs. Those of ``_slow`` are done on a thread of their own, one after another."""

    def __init__(
        self,
        request: EngineRequest,
        setup: Setup,
        board: Board,
        queue: RunQueue,
        end: Callable[[], None],
    ) -> None:
        """Work for the windows of one engine; ``end`` ends that."""
        self._request, self._setup, self._board, self._queue = request, setup, board, queue
        self._end_engine = end
        self._work: Work | None = None
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._do_jobs, name="office", daemon=True)
        self._verbs: dict[str, Verb] = {
            "snapshot": board.snapshot,
            "queue_remove": queue.remove,
            "queue_move": queue.move,
            "end": self._end,
        }
        self._slow: dict[str, Verb] = {
            "check": partial(check_recipe, setup),
            "queue_add": self._queue_add,
            "queue_resume": self._queue_resume,
        }
        self._connected: dict[str, Verb] = {}

    def start(self) -> None:
        """Begin with the slow jobs."""
        self._thread.start()

    def open(self, station: Station, work: Work, panel: Panel) -> None:
        """Take what works only while the set-up is connected."""
        self._work = work
        self._connected = {
            "stop_light": partial(self._stop_light, station, work),
            "command": partial(_command, work),
            "look": partial(self._look, work),
            "look_end": partial(work.look, None),
            "set": panel.set,
            "switch": panel.switch,
            "step": panel.step,
            "act": panel.act,
            "rearm": panel.rearm,
        }
        work.wake()

    def shut(self) -> None:
        """Refuse what needs the set-up from now on."""
        self._work, self._connected = None, {}

    def close(self) -> None:
        """End the thread."""
        self._jobs.put(None)
        self._thread.join()

    def asked(self, window: Window, head: Head) -> None:
        """Carry out one thing that a window asks, and answer it; on that window's thread."""
        number, verb = head.get("ask"), str(head.get("verb"))
        arguments = head.get("arguments", {})
        reply = partial(_reply, window, number)
        quick = self._verbs.get(verb) or self._connected.get(verb)
        if quick is not None:
            self._answer(reply, partial(quick, **arguments))
        elif verb in self._slow:
            self._jobs.put(lambda: self._answer(reply, partial(self._slow[verb], **arguments)))
        elif not self._connected:
            reply(error=f"{verb}: the set-up is not connected, see the log")
        else:
            reply(error=f"the engine knows no verb {verb!r}")

    def _answer(self, reply: Callable[..., None], job: Callable[[], Any]) -> None:
        try:
            found = job()
        except ConfigError as error:
            reply(error=str(error), problems=_plain(error))
        except (LabctlError, ValidationError, OSError, TypeError, ValueError) as error:
            reply(error=str(error))
        else:
            if isinstance(found, Future):
                # An instrument does it; whoever asked is told when it is done.
                future = cast("Future[Any]", found)
                future.add_done_callback(partial(self._done, reply))
            else:
                reply(value=found)

    def _done(self, reply: Callable[..., None], future: "Future[Any]") -> None:
        self._answer(reply, future.result)

    def _do_jobs(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _stop_light(self, station: Station, work: Work) -> dict[str, str]:
        work.end_task("red stop")
        red = RedStop(station)
        found = red.outcome()
        level = "warning" if all(word.startswith("ok") for word in found.values()) else "error"
        text = "; ".join(f"{entry} {word}" for entry, word in found.items())
        self._board.say(level, "red stop", text)
        if level == "error":
            threading.Thread(target=self._red_later, args=(red,), daemon=True).start()
        return found

    def _red_later(self, red: RedStop) -> None:
        found = red.outcome(_RED_LATER_S)
        late = {entry: word for entry, word in found.items() if not word.startswith("ok")}
        text = "; ".join(f"{entry} {word}" for entry, word in late.items())
        self._board.say("error" if late else "info", "red stop", text or "all is safe now")

    def _look(self, work: Work, kind: str, settings: dict[str, Any]) -> None:
        live = live_view(kind, settings)
        live.shown_to(lambda topic, arrays, facts: self._board.show(topic, arrays, **facts))
        work.look(live)

    def _queue_add(self, recipe: str) -> int:
        number = self._queue.add(queue_entry(self._request, recipe))
        if self._work is not None:
            self._work.wake()
        return number

    def _queue_resume(self, run: str, accept: bool = False) -> dict[str, Any]:
        """Go on with an interrupted run, unless something differs and that is not accepted."""
        work = self._work
        if work is None:
            what = "it can be gone on with only while the set-up is connected"
            raise RefusedError("run", what, "see the log")
        entry = resume_entry(self._request, run, accept=accept)
        found = work.carrier.differences(entry)
        if found and not accept:
            return {"differences": found}
        number = self._queue.add(entry)
        work.wake()
        return {"number": number, "differences": found}

    def _end(self) -> None:
        if self._work is not None:
            self._work.end_task("the engine is ended")
        self._end_engine()


def _command(work: Work, command: str) -> None:
    work.post(decode_command(command))


def _reply(window: Window, number: Any, **said: Any) -> None:
    # A window that has gone needs no answer.
    with suppress(OSError):
        window.outbox.put(pack({"kind": "answer", "ask": number, **said}))


def _plain(error: ConfigError) -> list[dict[str, str]]:
    return [{"what": p.what, "where": p.where, "hint": p.hint} for p in error.problems]
