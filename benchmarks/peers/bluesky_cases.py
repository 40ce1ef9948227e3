"""Bluesky: a scan as its documentation shows it, and the cheapest plan that its interface allows.

The devices are synchronous, their status is always finished: no threads, no ophyd.
"""

import importlib
import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from time import time as wall_time  # noqa: TID251 - a time stamp in a document
from typing import Any

import numpy as np

_bluesky: Any = importlib.import_module("bluesky")
_plans: Any = importlib.import_module("bluesky.plans")
_h5py: Any = importlib.import_module("h5py")

PIXELS = 1600


class Finished:
    """A status that was finished when it was made."""

    done = True
    success = True

    def add_callback(self, callback: Callable[[Any], None]) -> None:
        callback(self)

    def exception(self, timeout: float | None = 0.0) -> None: ...


FINISHED = Finished()


class Device:
    def __init__(self, name: str, shape: list[int]) -> None:
        self.name, self.parent, self._shape = name, None, shape

    def describe(self) -> dict[str, Any]:
        dtype = "array" if self._shape else "number"
        return {self.name: {"source": "fake", "dtype": dtype, "shape": self._shape}}

    def read_configuration(self) -> dict[str, Any]:
        return {}

    describe_configuration = read_configuration


class Axis(Device):
    value = 0.0
    hints = {"fields": ["x"]}

    @property
    def position(self) -> float:
        return self.value

    def set(self, value: float) -> Finished:
        self.value = value
        return FINISHED

    def read(self) -> dict[str, Any]:
        return {self.name: {"value": self.value, "timestamp": wall_time()}}


class Detector(Device):
    hints = {"fields": ["y"]}

    def __init__(self, payload: str) -> None:
        super().__init__("y", [PIXELS] if payload == "spectrum" else [])
        self._spectrum = np.linspace(0.0, 1e4, PIXELS) if payload == "spectrum" else None
        self._count = 0

    def trigger(self) -> Finished:
        self._count += 1
        return FINISHED

    def read(self) -> dict[str, Any]:
        value = self._count * 0.5 if self._spectrum is None else self._spectrum + self._count
        return {self.name: {"value": value, "timestamp": wall_time()}}


class Hdf5:
    """Appends to one dataset per field, as its users write it; a sync per point if asked for."""

    def __init__(self, path: Path, shape: tuple[int, ...], *, sync: bool) -> None:
        self._file: Any = _h5py.File(path, "w", libver="latest")
        self._sync = sync
        self._x, self._t = self._dataset("x", ()), self._dataset("t", ())
        self._y = self._dataset("y", shape)

    def _dataset(self, name: str, shape: tuple[int, ...]) -> Any:
        chunks = (1, *shape) if shape else (1024,)
        return self._file.create_dataset(
            name, (0, *shape), dtype="f8", maxshape=(None, *shape), chunks=chunks
        )

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        if name == "event":
            count = document["seq_num"]
            data = document["data"]
            for dataset, value in (
                (self._x, data["x"]), (self._t, document["time"]), (self._y, data["y"]),
            ):  # fmt: skip
                dataset.resize(count, axis=0)
                dataset[count - 1] = value
            self._file.flush()
            if self._sync:
                os.fsync(self._file.id.get_vfd_handle())
        elif name == "stop":
            self._file.close()


class Records:
    """A line of JSON and the raw numbers, one write per point: the leanest writer there can be."""

    def __init__(self, path: Path, shape: tuple[int, ...], *, sync: bool) -> None:
        self._file, self._sync = path.open("wb", buffering=0), sync

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        if name == "event":
            value = document["data"]["y"]
            plain = {**document, "data": {**document["data"], "y": None}}
            self._file.write(json.dumps(plain).encode() + b"\n" + np.asarray(value).tobytes())
            if self._sync:
                os.fsync(self._file.fileno())
        elif name == "stop":
            self._file.close()


def _least_messages(detector: Detector, axis: Axis, points: int) -> Generator[Any, Any, None]:
    message: Any = _bluesky.Msg
    yield message("open_run")
    for value in np.linspace(0.0, 100.0, points):
        yield message("checkpoint")
        yield message("set", axis, value)
        yield message("trigger", detector)
        yield message("create", name="primary")
        yield message("read", axis)
        yield message("read", detector)
        yield message("save")
    yield message("close_run")


def _case(writer: type[Any] | None, *, sync: bool = False, least: bool = False) -> Any:
    def prepare(payload: str, points: int, folder: Path) -> Callable[[], None]:
        engine: Any = _bluesky.RunEngine({})
        detector, axis = Detector(payload), Axis("x", [])
        if writer is not None:
            shape = (PIXELS,) if payload == "spectrum" else ()
            engine.subscribe(writer(folder / "data", shape, sync=sync))

        def run() -> None:
            if least:
                engine(_least_messages(detector, axis, points))
            else:
                engine(_plans.scan([detector], axis, 0.0, 100.0, points))

        return run

    return prepare


CASES = {
    "scan, no writer": _case(None),
    "least messages, no writer": _case(None, least=True),
    "scan, HDF5 flushed": _case(Hdf5),
    "scan, HDF5 synced": _case(Hdf5, sync=True),
    "scan, lean writer synced": _case(Records, sync=True),
    "least messages, lean writer synced": _case(Records, sync=True, least=True),
}


def versions() -> dict[str, str]:
    event_model: Any = importlib.import_module("event_model")
    return {"bluesky": _bluesky.__version__, "event-model": event_model.__version__}
