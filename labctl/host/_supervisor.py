"""The supervisor: a small process that makes the set-up safe when the engine dies or hangs.

It holds nothing but a channel to the engine until then. An engine that hangs while light is let
in is ended first, because an instrument has one owner; then the safe state is carried out over
connections of its own, and what was done is written beside the run. The cryostat stays as it is.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from labctl.channels import Channel, connect
from labctl.clock import RealClock
from labctl.errors import LabctlError
from labctl.host._connection import SimulatedBy, connect_station
from labctl.setup import Setup, load_setup
from labctl.stations import Rescued, rescue

__all__ = ["HUNG_S", "WORLD_HUNG_S", "Beat", "SetupFiles", "SupervisorOrder", "main", "watch"]

HUNG_S = 1.5
"""Drivers start things and ask, so an engine never stands still for so long on purpose."""
WORLD_HUNG_S = 60.0
"""A simulated world in virtual time may calculate for so long while light is on."""
_LOOK_S = 0.1
_RESCUE_S = 10.0
_FREE_S = 2.0


class SetupFiles(BaseModel):
    """From what a set-up was read.

    Attributes:
        setup: Set-up file.
        changes: ``key=value`` changes of it.
        sample: Sample file instead of the one that it names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    setup: Path
    changes: tuple[str, ...] = ()
    sample: Path | None = None


class SupervisorOrder(SetupFiles):
    """What a supervisor must know to act alone.

    Attributes:
        world_port: Port of the simulated world in a process of its own; None: real instruments.
        world_key: Secret of that world.
        engine: Process id of the engine.
        port: Port on loopback where the engine waits for the supervisor.
        folder: Folder of the run that goes on already; empty: none.
        hung_s: An engine that lets light in and has not moved for so long hangs, s of wall time.
    """

    world_port: int | None = None
    world_key: str = ""
    engine: int = 0
    port: int = 0
    folder: str = ""
    hung_s: float = Field(default=HUNG_S, gt=0.0)


class Beat(BaseModel):
    """A sign of life of the engine.

    Attributes:
        turns: Grows while the engine's thread moves.
        lit: Whether light may be let in.
        folder: Folder of the run that goes on; empty: none.
        bye: Whether the engine ends in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    turns: int
    lit: bool
    folder: str = ""
    bye: bool = False


def watch(channel: Channel, hung_s: float) -> tuple[str, Beat | None]:
    """Watch until the engine ends; returns why it must be rescued (empty: it need not be)."""
    last: Beat | None = None
    moved_s = monotonic()
    while True:
        try:
            if channel.poll(_LOOK_S):
                beat = Beat.model_validate(channel.receive())
                # An engine that takes leave does not wait for an answer; what it said counts.
                with suppress(OSError):
                    channel.send({"seen": beat.turns})
                if last is None or beat.turns != last.turns or not beat.lit:
                    moved_s = monotonic()
                last = beat
        except (EOFError, OSError):
            return "the engine died", last
        if last is not None and last.bye:
            return "", last
        if last is not None and last.lit and monotonic() - moved_s > hung_s:
            return f"the engine has not moved for {monotonic() - moved_s:.1f} s", last


def main() -> None:
    """Be the supervisor of one engine; the order comes as a line on standard input."""
    for kind in (signal.SIGINT, getattr(signal, "SIGBREAK", signal.SIGINT)):
        signal.signal(kind, signal.SIG_IGN)  # Ctrl-C is the engine's
    key = sys.stdin.readline().strip()
    order = SupervisorOrder.model_validate_json(sys.stdin.readline())
    setup = load_setup(order.setup, sample=order.sample, changes=order.changes)
    channel = connect(order.port, key.encode())
    why, last = watch(channel, order.hung_s)
    if not why:
        return
    ended = end_process(order.engine)
    began_s, at = monotonic(), RealClock().utc()
    channel.close()
    reports, failure = _rescue(setup, order)
    story = {
        "why": why,
        "at": at.isoformat(timespec="milliseconds"),
        "engine": {"pid": order.engine, "ended": ended},
        "took_s": round(monotonic() - began_s, 3),
        "failure": failure,
        "safe_state": [asdict(report) for report in reports],
    }
    _write(story, last.folder if last else order.folder)
    _say(why, reports, failure)


def end_process(pid: int) -> str:
    """End a process at once; returns in words what was done, "gone" if it was dead already."""
    kill = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows SIGTERM ends it at once
    try:
        os.kill(pid, kill)
    except OSError:
        return "gone"
    return "killed"


def _rescue(setup: Setup, order: SupervisorOrder) -> tuple[Sequence[Rescued], str]:
    """Carry out the safe state; an instrument may be free only a moment after its owner died."""
    until_s = monotonic() + _FREE_S
    while True:
        try:
            return _rescue_once(setup, order), ""
        except (LabctlError, OSError) as error:
            if monotonic() > until_s:
                return (), str(error)


def _rescue_once(setup: Setup, order: SupervisorOrder) -> Sequence[Rescued]:
    by = None
    if order.world_port is not None:
        by = SimulatedBy(world_port=order.world_port, world_key=order.world_key)
    connection = connect_station(setup, by)
    try:
        virtual = connection.clock.virtual
        return rescue(connection.station, inline=virtual, within_s=_RESCUE_S)
    finally:
        connection.abandon()


def _write(story: dict[str, Any], run_folder: str) -> None:
    folder = Path(run_folder)
    if not (run_folder and folder.is_dir()):
        return
    with suppress(OSError):  # a full disk: it has been said, and all is safe
        path = folder / f"{folder.name}_supervisor.json"
        path.write_text(json.dumps(story, indent=1), "utf-8")


def _say(why: str, reports: Sequence[Rescued], failure: str) -> None:
    print(f"labctl supervisor: {why}; made safe:", file=sys.stderr)
    for report in reports:
        done = report.error or "done"
        print(f"  {report.action}: {done} ({report.after_s:.2f} s)", file=sys.stderr)
    if failure:
        print(f"  NOT SAFE: {failure}", file=sys.stderr)
