"""A simulated set-up in virtual time, and a window's engine that hears and asks it in one process.

Everything that panels are shown is what the engine would tell: real drivers over simulated wires,
the engine's own live views, runs, checks and board. Only the clock is virtual, so that minutes of
the lab cost seconds.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from labctl.channels import unpack
from labctl.errors import LabctlError
from labctl.events import Abort
from labctl.gui import Engine
from labctl.host import RunRequest, SimulatedBy, connect_station, open_run, prepare
from labctl.host._local import follow
from labctl.host._runner import kept, optical_table
from labctl.host._unstored import unstored_session
from labctl.host.server import EngineRequest
from labctl.host.server._audience import Audience
from labctl.host.server._board import Board
from labctl.host.server._checking import check_recipe
from labctl.host.server._status import describe, status
from labctl.host.server._views import live_view
from labctl.sequencer import Control, Interruption, Session
from labctl.setup import load_setup
from photon_setup import PhotonBench
from picture_lab import SCALE_RECORD

SPOT_PX = {"x_px": 640.0, "y_px": 512.0}
KNOWN = {
    "imaging_scale": {"imaging_camera": SCALE_RECORD},
    "laser_spot": {"imaging_camera": SPOT_PX},
}
_MORE = """  camera: {driver: princeton.picam}
  imaging_camera: {driver: thorlabs.uc480}
  led: {driver: thorlabs.dc2200, address: "USB0::0x1313::0x80C8::M00435922::INSTR"}
  stage:
    driver: attocube.anc350
    address: TCPIP::anc350.example::2101::SOCKET
    tolerance: 0.1 um
    axes:
      x: {number: 0, step_voltage: 30 V, step_frequency: 1000 Hz, step_up: 0.1 um, step_down: 0.1 um}
      y: {number: 1, step_voltage: 30 V, step_frequency: 1000 Hz, step_up: 0.1 um, step_down: 0.1 um}
      z: {number: 2, step_voltage: 30 V, step_frequency: 1000 Hz, step_up: 0.1 um, step_down: 0.1 um}
    limits: {x: [-50 um, 50 um], y: [-50 um, 50 um], z: [-20 um, 20 um]}
    simulate: {truth: {drift: false}}
  target:"""  # noqa: E501 one axis per line
_PATHS = """calibrations: {irf: {file: irf.json, valid_for: 7 d}}
paths:
  camera: {spectrograph.exit: front, target: sample}
  image: {target: sample}
"""
WARN_HZ = 30_000.0
LOOK_S = 9.0
"""So long a live view goes on that a panel has asked for, s of the lab."""
_APD = "apd_1: {driver: detectors.pdm, tagger: tagger, channel: 1, shutter: apd_shutter"
_GRATINGS = "gratings: {1: 300/mm, 2: 1800/mm}"
CHANGES = {
    # Where the axis is right, a peak has to stand at the world's wavelength.
    _GRATINGS: f"{_GRATINGS}\n    simulate: {{truth: {{centre_offset_300_px: 0}}}}",
    # Enough light that pairs of one dot outnumber those of the detectors' own flashes.
    "peak_fluence: 0.17": "peak_fluence: 0.85",
    "  target:": _MORE,
    "paths:\n": _PATHS,
    _APD: f"{_APD}, warn_rate: {WARN_HZ:g} Hz",
}


class _Tape:
    """In the place of all windows: keeps what they would be told."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def tell(self, packet: bytes) -> None:
        self.told.append(unpack(packet))

    def show(self, _topic: str, packet: bytes) -> None:
        self.told.append(unpack(packet))

    def dropped(self) -> int:
        return 0


class InlineLab:
    """A connected set-up with camera, detectors, stage and picture; use as a context manager.

    Attributes:
        truths: What the world really was at the end of each kind of live view.
    """

    def __init__(self, folder: Path) -> None:
        self._asked = PhotonBench(folder).ask("wait: 1 s", changes=CHANGES)
        self.setup = load_setup(self._asked.setup)
        self.connection = connect_station(self.setup, SimulatedBy(dot="A7"))
        self.clock, self.station = self.connection.clock, self.connection.station
        self._tape = _Tape()
        self._board = Board(self.clock)
        self._board.audience = cast(Audience, self._tape)
        self._folder = folder
        self.runs = folder / "data"
        self.truths: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> "InlineLab":
        self.connection.__enter__()
        self._board.engine(connected=True, setup=self.setup.name, simulated=True, speed=1.0)
        self._board.engine(problem="", task="", queue=[], runs=str(self.runs))
        self._described = {name: describe(self.station[name]) for name in self.station}
        self._board.roles(list(self._described.values()))
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.__exit__()

    @property
    def world(self) -> Any:
        assert self.connection.rig is not None
        return cast(Any, self.connection.rig).world

    @property
    def request(self) -> EngineRequest:
        return EngineRequest(setup=self._asked.setup, simulate=True)

    def lifetime_ps(self, dot: str) -> float:
        """Return the true lifetime of a dot's exciton in the cold, ps."""
        return float(self.world.sample.dots[dot].lifetime_ps)

    def look(self, kind: str, seconds: float, **settings: Any) -> None:
        """Have a live view for so long."""
        control, view = Control(), live_view(kind, settings)
        view.shown_to(lambda topic, arrays, facts: self._board.show(topic, arrays, **facts))

        def seen() -> None:
            self.truths[kind] = self.world.truth()
            control.post(Abort(reason="seen"))

        end = self.clock.call_every(seconds, seen)
        self._unstored(lambda session: session.measure(view, step_id="look"), control)
        end()

    def run(self, steps: str) -> Path:
        """Carry out a recipe; returns its journal."""
        recipe = self._folder / "recipe.yaml"
        recipe.write_text(steps, "utf-8")
        asked = RunRequest(setup=self._asked.setup, recipe=recipe, simulate=True, out=self.runs)
        _, found, plan = prepare(asked)
        with open_run(
            self.connection,
            self.setup,
            plan,
            out=asked.out,
            listeners=[self._board.event],
            look=self._board.grown,
        ) as opened:
            follow(opened, found)
        return opened.report.journal

    def move(self, name: str, quantity: str, value: float) -> None:
        """Give a settable a value as a run does, and wait until it is there."""
        self._unstored(lambda session: session.move(f"{name}.{quantity}", value), Control())

    def start(self, name: str, quantity: str, value: float) -> None:
        """Begin to give a settable a value, and do not wait for it."""
        self.station[name].settable(quantity).start(value)

    def read(self, *names: str) -> None:
        """Tell how instruments stand."""
        for name in names or self.station:
            found = status(self.station[name], self._described[name])
            self._board.values(name, found)

    def check(self, text: str, path: str) -> dict[str, Any]:
        """Look at the text of a recipe."""
        return check_recipe(self.setup, text, path)

    def snapshot(self) -> dict[str, Any]:
        """Return what a window is told when it attaches."""
        return {"kind": "welcome", **self._board.snapshot()}

    def newest(self, since: int = 0) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return what was told, in its order."""
        return self._tape.told[since:]

    def _unstored(self, do: Callable[[Session], object], control: Control) -> None:
        connection = self.connection
        _, store = kept(connection, self.setup, self.runs)
        with (
            unstored_session(
                self.station,
                self.clock,
                control=control,
                calibrations={**store.load(), **KNOWN},
                table=optical_table(self.setup),
                begin_point=connection.begin_point,
                guard=connection.guard,
            ) as session,
            suppress(Interruption),
        ):
            do(session)


class InlineEngine(Engine):
    """The window's side; what panels ask is carried out at once, and what they are told is heard.

    Attributes:
        asked: Every verb with its arguments, in their order.
    """

    def __init__(self, lab: InlineLab) -> None:
        super().__init__(lab.request)
        self._lab = lab
        self._heard = 0
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.inbox.put(lab.snapshot(), {})
        self.hear()

    @property
    def is_attached(self) -> bool:
        return True

    def ask(self, verb: str, then: Any = None, **arguments: Any) -> None:
        self.asked.append((verb, arguments))
        verbs: Mapping[str, Callable[..., Any]] = {
            "set": self._lab.move,
            "check": self._lab.check,
            "look": self._look,
        }
        try:
            answer = verbs[verb](**arguments)
        except LabctlError as error:
            self._take_answer(error, then)
            return
        self._lab.read("stage", "spectrograph", "cryostat")
        self.hear()
        self._take_answer(answer, then)

    def _look(self, kind: str, settings: dict[str, Any]) -> None:
        self._lab.look(kind, LOOK_S, **settings)

    def hear(self) -> None:
        """Take in all that was told since."""
        news = self._lab.newest(self._heard)
        self._heard += len(news)
        for head, arrays in news:
            self.inbox.put(head, arrays)
            self._drain()
