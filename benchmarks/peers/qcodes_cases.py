"""QCoDeS: a measurement with known shapes; in its own rhythm, or on the disk at every point."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_qcodes: Any = importlib.import_module("qcodes")
_dataset: Any = importlib.import_module("qcodes.dataset")

PIXELS = 1600


def _measurement(payload: str, points: int, experiment: Any, period_s: float) -> Any:
    found: Any = _dataset.Measurement(exp=experiment)
    found.write_period = period_s
    found.register_custom_parameter("x")
    if payload == "spectrum":
        found.register_custom_parameter("w", paramtype="array")
        found.register_custom_parameter("y", setpoints=("x", "w"), paramtype="array")
        found.set_shapes({"y": (points, PIXELS)})
    else:
        found.register_custom_parameter("y", setpoints=("x",))
        found.set_shapes({"y": (points,)})
    return found


def _case(*, sync: bool) -> Any:
    def prepare(payload: str, points: int, folder: Path) -> Callable[[], None]:
        _qcodes.config.dataset.dond_show_progress = False
        _dataset.initialise_or_create_database_at(str(folder / "data.db"))
        experiment: Any = _dataset.load_or_create_experiment("benchmark", "none")
        if sync:
            experiment.conn.execute("PRAGMA synchronous = FULL")
        measurement = _measurement(payload, points, experiment, 0.25)
        pixels, spectrum = np.arange(PIXELS, dtype=float), np.linspace(0.0, 1e4, PIXELS)

        def run() -> None:
            with measurement.run() as saver:
                if sync:
                    saver.dataset.conn.execute("PRAGMA synchronous = FULL")
                for count, x in enumerate(np.linspace(0.0, 100.0, points)):
                    if payload == "spectrum":
                        saver.add_result(("x", x), ("w", pixels), ("y", spectrum + count))
                    else:
                        saver.add_result(("x", x), ("y", count * 0.5))
                    if sync:
                        saver.flush_data_to_database()
            _close(saver, experiment, points)

        return run

    return prepare


def _close(saver: Any, experiment: Any, points: int) -> None:
    stored: int = saver.dataset.number_of_results
    saver.dataset.conn.close()
    experiment.conn.close()
    if stored < points:
        message = f"{stored} of {points} results are in the database"
        raise RuntimeError(message)


CASES = {"add_result": _case(sync=False), "add_result synced": _case(sync=True)}


def versions() -> dict[str, str]:
    return {"QCoDeS": _qcodes.__version__}
