"""A world with a clock that is moved by hand and a sensor that answers with known numbers."""

import heapq
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl_sim.libraries import VendorLibrary
from labctl_sim.princeton.picam import PicamSimulator


def check_plain(value: Any) -> None:
    """Raise TypeError unless JSON and bytes could carry the value to another process."""

    def as_text(part: object) -> str:
        if type(part) is bytes:
            return part.hex()
        raise TypeError(f"{part!r} is not plain")

    json.dumps(value, default=as_text)


class FakeSensor:
    """Frame n is a ramp along the columns that starts at 100 n; everything asked is kept."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.target_c = -70.0
        self.is_locked = True

    def render(self, **arguments: Any) -> NDArray[np.uint16]:
        self.asked.append(arguments)
        _, width, _, height = arguments["roi"]
        x_binning, y_binning = arguments["binning"]
        rows, columns = height // y_binning, width // x_binning
        first = 100 * int(arguments["frame"])
        return np.tile(np.arange(first, first + columns, dtype=np.uint16), (rows, 1))

    def sensor_c(self) -> float:
        return self.target_c + 0.25

    def set_sensor_target_c(self, c: float) -> None:
        self.target_c = c

    def locked(self) -> bool:
        return self.is_locked


class FakeWorld:
    """Events in order of time."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.point_id, self.point_began_s = "p1", 0.0
        self.sensor = FakeSensor()
        self._time_s = 0.0
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()

    def now(self) -> float:
        return self._time_s

    def after(self, delay_s: float, action: Callable[[], None]) -> Callable[[], None]:
        number = next(self._numbers)
        heapq.heappush(self._events, (self._time_s + delay_s, number, action))
        return lambda: self._cancelled.add(number)

    def camera(self, truth: Mapping[str, Any], name: str = "camera") -> FakeSensor:
        return self.sensor

    def advance(self, seconds: float) -> None:
        end_s = self._time_s + seconds
        while self._events and self._events[0][0] <= end_s:
            self._time_s, number, action = heapq.heappop(self._events)
            if number not in self._cancelled:
                action()
        self._time_s = end_s


class Bench:
    """A simulated camera, its library object, and time that passes while a client waits."""

    def __init__(self, **truth: Any) -> None:
        self.world = FakeWorld()
        self.sensor = self.world.sensor
        settings = {"serial": "0512160012", "columns": 1600, "rows": 200}
        truth = {"frame_overhead_ms": 0.0, **truth}
        self.simulator = PicamSimulator("camera", self.world, settings, truth)
        self.library: VendorLibrary = PicamSimulator.face(self.call)

    def call(self, method: str, arguments: list[Any]) -> Any:
        """Let a wait take its time-out, everything else ten microseconds."""
        self.world.advance(arguments[1] * 1e-3 if method == "wait" else 1e-5)
        answer = self.simulator.call(method, arguments)
        check_plain([method, arguments, answer])
        return answer


@pytest.fixture
def picam_bench() -> Iterator[Callable[..., Any]]:
    """Build benches; at the end no body of a library function may have failed."""
    benches: list[Bench] = []

    def build(**truth: Any) -> Bench:
        benches.append(Bench(**truth))
        return benches[-1]

    yield build
    for bench in benches:
        assert bench.library.errors == []
