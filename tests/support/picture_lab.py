"""A camera with its LED over a world that a stage moves, and a context to measure in."""

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from typing import Any, cast

from labctl.clock import EventQueue, VirtualClock
from labctl.measurements import Array, Context, Lit, OpticalTable
from labctl.roles import Instrument, Settable
from labctl.stations import Station
from labctl.transport import LibraryLink, VisaTransport
from labctl_drivers.attocube.anc300 import Anc300, Anc300Settings
from labctl_drivers.thorlabs.dc2200 import Dc2200, Dc2200Settings
from labctl_drivers.thorlabs.uc480 import Uc480, Uc480Settings
from labctl_sim.rig import Rig

SAMPLE = {
    "schema_version": 1,
    "name": "one dot",
    "composition": "CsPbBr3",
    "dots": {"A1": {"edge_length": "23 nm", "lifetime": "180 ps"}},
}


class PlainContext:
    """As much of the sequencer as a calibration needs."""

    def __init__(self, station: Station, clock: VirtualClock, rig: Rig) -> None:
        self.station, self.clock, self.table = station, clock, OpticalTable()
        self._rig = rig
        self._numbers: dict[str, float] = {}
        self._arrays: dict[str, Any] = {}
        self.calibrations: dict[str, dict[str, Any]] = {}
        self.stored: list[Array] = []
        self.messages: list[str] = []

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float, what: str) -> None:
        end_s = self.clock.now() + timeout_s
        while not ready():
            assert self.clock.now() < end_s, what
            self.clock.sleep(0.01)

    def move(self, settable: Settable, value: float) -> float:
        settable.start(value)
        self.wait_until(settable.arrived, timeout_s=60.0, what=settable.name)
        return settable.confirm(value)

    def wait(self, seconds: float, *, what: str) -> None:
        assert what
        self.clock.sleep(seconds)

    def progress(self, text: str, fraction: float) -> None:
        assert text
        assert 0.0 < fraction <= 1.0

    def message(self, level: str, device: str, text: str) -> None:
        self.messages.append(f"{level} {device} {text}")

    def store(self, arrays: Sequence[Array], **_more: Any) -> None:
        self.stored = list(arrays)

    def calibrated(self, name: str, key: str, result: Mapping[str, Any]) -> None:
        self.calibrations.setdefault(name, {})[key] = dict(result)
        if name in chain.from_iterable(self.station[key].calibrated_by.values()):
            self.station[key].use_calibration(name, result)

    def warn_once(self, device: str, text: str) -> None:
        self.message("warning", device, text)

    def exposed(self, lit_s: float, lit: Lit | None = None) -> None:
        assert lit_s >= 0.0
        assert lit is None or lit.places_um.shape[1:] == (2,)

    def remember(self, name: str, value: float) -> None:
        self._numbers[name] = value

    def remembered(self, name: str) -> float | None:
        return self._numbers.get(name)

    def keep(self, name: str, values: Any) -> None:
        self._arrays[name] = values

    def kept(self, name: str) -> Any:
        return self._arrays.get(name)

    @property
    def world(self) -> Any:
        return self._rig.world

    def inject(self, instrument: str, kind: str, **parameters: Any) -> None:
        self._rig.inject(instrument, kind, **parameters)

    @property
    def context(self) -> Context:
        return cast("Context", self)


MakeStage = Callable[[Rig, VirtualClock], Instrument]


@contextmanager
def picture_lab(
    make_stage: MakeStage, *, number: int = 0, memory: bool = False, **more: Mapping[str, Any]
) -> Generator[PlainContext]:
    """Connect camera, LED and a stage over a world of this seed, which also holds ``more``."""

    def seed(*labels: object) -> int:
        return int.from_bytes(hashlib.sha256(repr((number, *labels)).encode()).digest()[:16], "big")

    queue = EventQueue()
    clock = VirtualClock(queue)
    instruments = {
        "imaging_camera": {"simulator": "thorlabs.uc480"},
        "led": {"simulator": "thorlabs.dc2200"},
        **more,
    }
    spec = {"sample": SAMPLE, "dot": "A1", "instruments": instruments, "memory": memory}
    rig = Rig(spec, now=queue.now, schedule=queue.schedule, seed=seed)
    rig.start()
    queue.settle = rig.quiesce
    camera = Uc480(
        "imaging_camera", LibraryLink(rig.library("imaging_camera")), Uc480Settings(), {}
    )
    led = Dc2200("led", VisaTransport("led", rig.addresses()["led"], clock), Dc2200Settings(), {})
    stage = make_stage(rig, clock)
    devices: dict[str, Instrument] = {"imaging_camera": camera, "led": led, "stage": stage}
    for device in devices.values():
        device.connect()
    try:
        yield PlainContext(Station(devices, ()), clock, rig)
    finally:
        for device in devices.values():
            device.close()
        rig.close()
    assert rig.errors == []


# What nobody told: truth_defaults of the simulated camera.
SCALE_UM, TURN_DEG = 0.0921, 1.8
SCALE_RECORD = {
    "um_per_pixel": SCALE_UM,
    "um_per_pixel_error": 1e-9,
    "rotation_deg": TURN_DEG,
    "rotation_error_deg": 0.1,
    "mirrored": True,
    "rms_um": 0.01,
}
_COLD = {"simulator": "montana.cryostation", "truth": {"start_temperature_k": 4.0}}


def open_loop_lab(number: int, **truth: Any) -> AbstractContextManager[PlainContext]:
    """Connect them with an ANC300 in the cold, whose steps are larger than believed."""
    stage = {"simulator": "attocube.anc300", "truth": {"drift": False, **truth}}
    return picture_lab(_open_loop, number=number, cryostat=_COLD, stage=stage)


def _open_loop(rig: Rig, clock: VirtualClock) -> Instrument:
    axis = {"step_voltage": "60 V", "step_up": "0.06 um", "step_down": "0.06 um"}
    fine = {"fine_range": "1.5 um"}
    axes = {name: {"number": n, **axis, **fine} for n, name in enumerate("xyz", 1)}
    settings = Anc300Settings.model_validate({"axes": axes, "password": "123456"})
    return Anc300("stage", VisaTransport("stage", rig.addresses()["stage"], clock), settings, {})
