"""The engine as a server: owns the instruments of one set-up, for as many windows as there are."""

import os
import secrets
import threading

from labctl.clock import RealClock
from labctl.errors import LabctlError
from labctl.host._connection import Connection, SimulatedBy, connect_station
from labctl.host._runner import Watched
from labctl.host._supervised import supervised
from labctl.host._supervisor import SetupFiles
from labctl.host.server._audience import Audience
from labctl.host.server._board import Board
from labctl.host.server._office import Office
from labctl.host.server._outside import Outside, listening, outside
from labctl.host.server._panel import Panel
from labctl.host.server._queue import RunQueue
from labctl.host.server._rendezvous import Offer, offer, place_of, refuse_second, withdraw
from labctl.host.server._request import EngineRequest
from labctl.host.server._work import Work
from labctl.setup import Setup, load_setup

__all__ = ["serve_engine"]

_TOLD_S = 1.0


class _Engine:
    """One life of the server; all work is done on the thread that calls ``run``."""

    def __init__(self, request: EngineRequest, setup: Setup, wanted: Outside | None) -> None:
        self._request, self._setup, self._outside = request, setup, wanted
        self._ending = threading.Event()
        key = secrets.token_bytes(32)
        self._board = Board(RealClock(request.speed))
        self._queue = RunQueue(lambda entries: self._board.engine(queue=entries))
        self._office = Office(request, setup, self._board, self._queue, self._ending.set)
        self._audience = Audience(key, self._office.asked)
        self._board.audience = self._audience
        self._offer = Offer(
            self._audience.port,
            key.hex(),
            os.getpid(),
            str(request.setup.expanduser().resolve()),
            request.simulate,
        )
        self._board.engine(
            setup=setup.name,
            file=self._offer.setup,
            simulated=request.simulate,
            speed=request.speed,
            pid=self._offer.pid,
            connected=False,
            problem="",
            task="",
            queue=[],
            paths=list(setup.file.paths),
            interlocks=[],
            runs=str(request.out or setup.data_root / ("simulated" if request.simulate else "")),
            sample=setup.sample_name,
            listens="",
        )

    def run(self) -> None:
        """Serve until it is told to end, or nobody has wanted anything for long."""
        place = place_of(self._request.setup, simulate=self._request.simulate)
        self._audience.start(self._board.welcome)
        self._office.start()
        try:
            refuse_second(place, self._offer.setup)
            with listening(self._outside, self._audience, self._board):
                offer(place, self._offer)
                try:
                    self._serve()
                finally:
                    withdraw(place, self._offer)
        finally:
            self._office.close()
            self._audience.close()

    def _serve(self) -> None:
        try:
            by = self._simulated()
            files = SetupFiles(
                setup=self._request.setup,
                changes=self._request.changes,
                sample=self._request.sample,
            )
            connection = connect_station(self._setup, by)
            with connection, supervised(connection, files, by) as watched:
                self._connected(connection, watched)
        except LabctlError as error:
            self._board.engine(connected=False, problem=str(error))
            self._board.say("error", "engine", str(error))
            # The window has to be able to say why; the engine then ends with it.
            while not self._ending.wait(_TOLD_S) and self._audience.lonely_s() < _TOLD_S:
                pass

    def _simulated(self) -> SimulatedBy | None:
        given = self._request
        if not given.simulate:
            return None
        return SimulatedBy(seed=given.seed, dot=given.dot, speed=given.speed)

    def _connected(self, connection: Connection, watched: Watched) -> None:
        self._board.clock = connection.clock
        work = Work(self._request, self._setup, connection, self._board, self._queue, watched)
        panel = Panel(connection.station, connection.guard, self._board, work.engaged)
        work.panel = panel
        try:
            panel.start()
            self._office.open(connection.station, work, panel)
            self._board.engine(connected=True, problem="")
            self._board.say("info", "engine", f"{self._setup.name} is connected")
            self._work(work)
        finally:
            self._office.shut()
            panel.close()
            connection.station.make_safe()

    def _work(self, work: Work) -> None:
        idle_s = 60.0 * self._request.idle_min
        while not self._ending.is_set():
            worked = work.step()
            if not worked and not work.busy() and self._audience.lonely_s() > idle_s:
                return


def serve_engine(request: EngineRequest) -> None:
    """Own a set-up and serve windows until told to end.

    Raises:
        ConfigError: The set-up or its token is wrong; nothing was touched.
        RefusedError: Another engine owns it.
    """
    setup = load_setup(request.setup, sample=request.sample, changes=request.changes)
    _Engine(request, setup, outside(request, setup)).run()
