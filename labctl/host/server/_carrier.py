"""Runs on the connected set-up of an engine: a recipe from its beginning, or one gone on with."""

from labctl.host._connection import Connection
from labctl.host._local import follow, prepare, prepare_again
from labctl.host._past import differences, open_past
from labctl.host._runner import Watched, kept, open_run
from labctl.host.server._board import Board
from labctl.host.server._checking import run_request
from labctl.host.server._queue import Entry
from labctl.host.server._request import EngineRequest
from labctl.sequencer import Control, Listener
from labctl.setup import Setup

__all__ = ["Carrier"]


class Carrier:
    """Carries out entries of the queue, one after the other, on one connection."""

    def __init__(
        self,
        request: EngineRequest,
        setup: Setup,
        connection: Connection,
        board: Board,
        watched: Watched,
    ) -> None:
        """Work on a connected set-up; ``watched`` as ``open_run`` takes it."""
        self._request, self._setup, self._connection = request, setup, connection
        self._board, self._watched = board, watched
        self._dot = request.dot

    def differences(self, entry: Entry) -> list[str]:
        """Return in words what is not as it was when the run of an entry broke off; none: empty."""
        if entry.resume is None:
            return []
        past = open_past(entry.resume)
        _, store = kept(self._connection, self._setup, self._request.out)
        origin = run_request(self._request, entry.recipe).origin()
        station = self._connection.station
        return differences(past, self._setup, origin, station, store.load(), accept=True)

    def carry_out(self, entry: Entry, control: Control, listener: Listener) -> None:
        """Run an entry to its end.

        Raises:
            ConfigError: Something is wrong with the recipe, or differs from before.
        """
        asked = run_request(self._request, entry.recipe)
        past = None if entry.resume is None else open_past(entry.resume)
        _, recipe, plan = prepare(asked) if past is None else prepare_again(asked, past)
        if plan.dot and (past is None or plan.dot != self._dot):
            self._place(plan.dot)
        with open_run(
            self._connection,
            self._setup,
            plan,
            out=self._request.out,
            control=control,
            listeners=[listener],
            past=past,
            accept=entry.accept,
            watched=self._watched,
            look=self._board.grown,
        ) as live:
            follow(live, recipe, past)

    def _place(self, dot: str) -> None:
        """Let a simulation begin with the dot of the recipe in the spot, as ``labctl run`` does."""
        if self._connection.rig is None:
            return
        self._connection.select_dot(dot)
        self._dot = dot
        text = f"the sample lies so that dot {dot} is in the spot where the stage stands"
        self._board.say("info", "simulation", text)
