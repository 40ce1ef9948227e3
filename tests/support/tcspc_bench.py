"""Simulated PicoQuant modules on a clock that is moved by hand, driven through their libraries."""

import ctypes
import hashlib
import heapq
import itertools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.picoquant.hydraharp400 import HydraHarp400
from labctl_sim.picoquant.multiharp150 import MultiHarp150
from labctl_sim.picoquant.picoharp300 import PicoHarp300
from labctl_sim.picoquant.picoharp330 import PicoHarp330
from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World
from labctl_sim.world.photons import Bench

MODULES: dict[str, type[Any]] = {
    "PH": PicoHarp300,
    "HH": HydraHarp400,
    "MH": MultiHarp150,
    "PH330": PicoHarp330,
}
DOT = {"edge_length": "23 nm", "lifetime": "100 ps"}
HIST, T2, T3 = 0, 2, 3


class HandClock:
    """Events in order of time."""

    def __init__(self) -> None:
        self.s = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._cancelled: set[int] = set()

    def now(self) -> float:
        return self.s

    def schedule(self, at_s: float, action: Callable[[], None]) -> Callable[[], None]:
        number = next(self._numbers)
        heapq.heappush(self._events, (at_s, number, action))
        return lambda: self._cancelled.add(number)

    def advance(self, seconds: float) -> None:
        end_s = self.s + seconds
        while self._events and self._events[0][0] <= end_s:
            at_s, number, action = heapq.heappop(self._events)
            self.s = max(at_s, self.s)
            if number not in self._cancelled:
                action()
        self.s = end_s


def seed_of(*labels: str | int) -> int:
    return int.from_bytes(hashlib.sha256(repr(labels).encode()).digest()[:16], "big")


def check_plain(value: Any) -> None:
    """Raise TypeError unless JSON and bytes could carry the value to another process."""

    def as_text(part: object) -> str:
        if type(part) is bytes:
            return part.hex()
        raise TypeError(f"{part!r} is not plain")

    json.dumps(value, default=as_text)


def make_world(now: Callable[[], float], schedule: Any, dot: dict[str, Any] | None = None) -> World:
    """A dot at 4 K in the light, with the spectrograph's side exit on its line."""
    world = World(
        sample=load_sample(
            {
                "schema_version": 1,
                "name": "one dot",
                "composition": "CsPbBr3",
                "dots": {"A7": DOT | (dot or {})},
            }
        ),
        dot="A7",
        laser=LaserTruth(),
        now=now,
        schedule=schedule,
        seed=seed_of,
    )
    world.attach_cryostat({"start_temperature_k": 4.0})
    world.table.laser_on = world.table.shutter_open = True
    world.spectrograph.exit = "side"
    world.spectrograph.centre_nm = 1239.842 / world.truth()["energy_ev"]
    return world


class Answer(NamedTuple):
    """Code and what the function wrote."""

    code: int
    values: list[Any]


class TcspcBench:
    """One module; `run` and `ask` go through the library object with real ctypes arguments."""

    def __init__(self, prefix: str, dot: dict[str, Any] | None = None, **truth: Any) -> None:
        self.clock = HandClock()
        self.world = make_world(self.clock.now, self.clock.schedule, dot)
        self.prefix = prefix
        self.kind = MODULES[prefix]
        self.sim = self.kind("tcspc", self.world, {}, truth)
        self.library = self.kind.face(self.call)

    def call(self, method: str, arguments: list[Any]) -> Any:
        answer = self.sim.call(method, arguments)
        check_plain([method, arguments, answer])
        return answer

    def run(self, name: str, *arguments: Any) -> int:
        """Call a function of device 0 with plain arguments; gives the code."""
        code: int = getattr(self.library, f"{self.prefix}_{name}")(0, *arguments)
        return code

    def number(self, name: str, *arguments: Any, kind: Any = ctypes.c_int) -> Any:
        """Call a function whose last argument is a number that comes out."""
        out = kind(-99)
        code = self.run(name, *arguments, ctypes.byref(out))
        assert code == 0, (name, code)
        return out.value

    def open(self, mode: int) -> None:
        """Open, initialise for a mode and wait for the rate meters."""
        serial = ctypes.create_string_buffer(8)
        assert self.run("OpenDevice", serial) == 0
        assert self.run("Initialize", mode, *([] if self.prefix == "PH" else [0])) == 0
        self.clock.advance(0.3)

    def expected_hz(self) -> list[float]:
        """Clicks per second of each detector in the world as it is now."""
        bench = Bench.of(self.world)
        return bench.rates_hz(bench.apds("tcspc"), self.world.now())

    def read(self) -> NDArray[np.uint32]:
        """Read the buffer once."""
        most = 131072 if self.prefix in ("PH", "HH") else 1048576
        buffer, count = (ctypes.c_uint32 * most)(), ctypes.c_int()
        sized = [most] if self.prefix in ("PH", "HH") else []
        assert self.run("ReadFiFo", ctypes.byref(buffer), *sized, ctypes.byref(count)) == 0
        return np.frombuffer(bytes(buffer), np.uint32, count.value).copy()

    def acquire(self, time_ms: int, every_s: float = 0.02) -> NDArray[np.uint32]:
        """A whole run, read every so often."""
        assert self.run("StartMeas", time_ms) == 0
        parts: list[NDArray[np.uint32]] = []
        while True:
            self.clock.advance(every_s)
            parts.append(self.read())
            if not len(parts[-1]) and self.number("CTCStatus"):
                break
        assert self.run("StopMeas") == 0
        return np.concatenate(parts)

    def histogram(self, channel: int = 0) -> NDArray[np.uint32]:
        """Read a histogram of 65536 bins."""
        counts = (ctypes.c_uint32 * 65536)()
        clear = [0] if self.prefix == "HH" else []
        assert self.run("GetHistogram", ctypes.byref(counts), channel, *clear) == 0
        return np.frombuffer(bytes(counts), np.uint32).copy()
