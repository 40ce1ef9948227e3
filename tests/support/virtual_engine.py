"""A process that shows windows an engine in virtual time: hours of a run in minutes of life.

``python virtual_engine.py SETUP RECIPE FOLDER``. Everything goes the engine's own way from the run
to the windows (events, growing points, live views, outboxes); only the clock is virtual, and nobody
can ask for anything.
"""

import os
import secrets
import sys
from pathlib import Path

from labctl.events import Abort, Event, Reading
from labctl.host import RunRequest, SimulatedBy, connect_station, open_run, prepare
from labctl.host._local import follow
from labctl.host._unstored import unstored_session
from labctl.host.server import EngineRequest, place_of
from labctl.host.server._audience import Audience
from labctl.host.server._board import Board
from labctl.host.server._rendezvous import Offer, offer, withdraw
from labctl.host.server._views import live_view
from labctl.sequencer import Control, Interruption

_LIVE_S = 60.0


def main(setup_file: Path, recipe_file: Path, folder: Path) -> None:
    """Run the recipe, then a live view, with windows that look on."""
    request = EngineRequest(setup=setup_file, simulate=True)
    asked = RunRequest(setup=setup_file, recipe=recipe_file, simulate=True, out=folder)
    setup, recipe, plan = prepare(asked)
    with connect_station(setup, SimulatedBy(dot=plan.dot)) as connection:
        key, board = secrets.token_bytes(32), Board(connection.clock)
        audience = board.audience = Audience(key, lambda _window, _head: None)
        board.engine(connected=True, setup=setup.name, simulated=True, speed=1.0, task="", queue=[])
        audience.start(board.welcome)
        told = Offer(audience.port, key.hex(), os.getpid(), str(setup_file), True)
        place = place_of(request.setup, simulate=True)
        offer(place, told)
        sys.stdin.readline()  # the window is there

        def listen(event: Event) -> None:
            board.event(event)
            if isinstance(event, Reading):
                name, _, quantity = event.quantity.partition(".")
                board.values(name, {"read": {quantity: event.value}, "set": {}})

        with open_run(
            connection, setup, plan, out=folder, listeners=[listen], look=board.grown
        ) as live:
            follow(live, recipe)
        control = Control()
        cancel = connection.clock.call_every(
            _LIVE_S, lambda: control.post(Abort(reason="looked long enough"))
        )
        view = live_view("spectrum", {"exposure": "100 ms"})
        view.shown_to(lambda topic, arrays, facts: board.show(topic, arrays, **facts))
        with unstored_session(connection.station, connection.clock, control=control) as session:
            try:
                session.measure(view, step_id="look")
            except Interruption:
                pass
        cancel()
        print(f"{connection.clock.now():.0f}", flush=True)
        sys.stdin.readline()  # the window has looked
        withdraw(place, told)
        audience.close()


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:4]))
