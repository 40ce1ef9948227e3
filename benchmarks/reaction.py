"""How long a pause, a resume and an abort take to be seen while a driver is waited for."""

import threading
from queue import SimpleQueue
from time import perf_counter
from typing import Any

from benchmarks.engine import session, steps
from benchmarks.fakes import Detector
from labctl.events import Abort, Command, Event, Pause, Resume, StateChanged
from labctl.sequencer import Aborted, Session, execute

_PATIENCE_S = 30.0


def reactions(rounds: int) -> dict[str, list[float]]:
    """Return the time from posting each command until it has taken effect, s, on the wall clock."""
    found: dict[str, list[float]] = {"pause": [], "resume": [], "abort": []}
    for _ in range(rounds):
        for name, seconds in _one_round().items():
            found[name].append(seconds)
    return found


def _one_round() -> dict[str, float]:
    running = session(None)
    states: SimpleQueue[str] = SimpleQueue()
    waiting = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, StateChanged):
            states.put(event.state)

    def never_done() -> bool:
        waiting.set()
        return False

    running.book.announcer.add(listen)
    running.station.get("detector", Detector).done = never_done
    thread = threading.Thread(target=_run, args=(running, states))
    thread.start()
    try:
        waiting.wait(_PATIENCE_S)
        pause = _until(running, Pause(policy="repeat"), states, "paused")
        waiting.clear()
        resume = _until(running, Resume(), states, "running")
        waiting.wait(_PATIENCE_S)
    finally:
        abort = _until(running, Abort(), states, "left")
        thread.join()
        running.finish("aborted", "", ())
    return {"pause": pause, "resume": resume, "abort": abort}


def _run(running: Session, states: "SimpleQueue[str]") -> None:
    try:
        execute(running, steps(1, "float"))
    except Aborted:
        states.put("left")


def _until(running: Session, command: Command, states: "SimpleQueue[Any]", wanted: str) -> float:
    began_s = perf_counter()
    running.control.post(command)
    while states.get(timeout=_PATIENCE_S) != wanted:
        pass
    return perf_counter() - began_s
