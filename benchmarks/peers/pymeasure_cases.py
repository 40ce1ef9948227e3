"""PyMeasure: a procedure with its worker and recorder; a spectrum is 1600 columns of a row."""

import importlib
import logging
import os
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

_experiment: Any = importlib.import_module("pymeasure.experiment")

PIXELS = 1600


class SyncedFile(logging.FileHandler):
    """The log handler that PyMeasure's recorder writes with, with a sync per row."""

    def flush(self) -> None:
        super().flush()
        if self.stream:
            os.fsync(self.stream.fileno())


def _procedure(payload: str, points: int) -> Any:
    names = [f"y{i}" for i in range(PIXELS)] if payload == "spectrum" else ["y"]
    spectrum = np.linspace(0.0, 1e4, PIXELS)

    def execute(self: Any) -> None:
        for count, x in enumerate(np.linspace(0.0, 100.0, points)):
            values = spectrum + count if payload == "spectrum" else [count * 0.5]
            self.emit("results", {"x": x, **dict(zip(names, values, strict=True))})
            if self.should_stop():
                return

    members = {"DATA_COLUMNS": ["x", *names], "execute": execute, "__module__": __name__}
    return type("Scan", (_experiment.Procedure,), members)()


def _case(*, sync: bool) -> Any:
    def prepare(payload: str, points: int, folder: Path) -> Callable[[], None]:
        results: Any = _experiment.Results(_procedure(payload, points), str(folder / "data.csv"))

        def run() -> None:
            workers: Any = importlib.import_module("pymeasure.experiment.workers")
            recorder: Any = importlib.import_module("pymeasure.experiment.listeners")
            original: Any = recorder.FileHandler
            recorder.FileHandler = SyncedFile if sync else original
            try:
                worker: Any = workers.Worker(results)
                worker.start()
                # Its own join stops the procedure; the worker ends with its recorder's last row.
                threading.Thread.join(worker)
            finally:
                recorder.FileHandler = original
            rows = sum(1 for line in (folder / "data.csv").open("rb") if line[:1] != b"#") - 1
            if rows != points:
                message = f"{rows} of {points} rows are in the file"
                raise RuntimeError(message)

        return run

    return prepare


CASES = {"rows": _case(sync=False), "rows synced": _case(sync=True)}


def versions() -> dict[str, str]:
    return {"PyMeasure": version("pymeasure")}
