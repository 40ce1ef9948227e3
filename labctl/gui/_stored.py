"""A run from its file, dressed as an engine, so that the live panels show it as it was."""

from pathlib import Path
from typing import Any

import numpy as np

from labctl.gui._engine import Engine
from labctl.gui._inbox import Picture
from labctl.host.server import EngineRequest
from labctl.measurements import DOTS, stored_dots
from labctl.storage import Run, read_run

__all__ = ["StoredEngine"]


class StoredEngine(Engine):
    """Shows one stored point of each measurement; nothing can be asked of it."""

    is_live = False

    def __init__(self, request: EngineRequest, path: Path) -> None:
        """Read a run; raises StorageError."""
        super().__init__(request)
        self.stored: Run = read_run(path)

    def points(self) -> dict[str, int]:
        """Return how many points there are of each measurement."""
        return {name: int(data.sizes["point"]) for name, data in self.stored.data.items()}

    def show_point(self, measurement: str, point: int) -> None:
        """Show a point to whoever hears ``shown``."""
        data = self.stored.data[measurement].isel(point=point)
        arrays = {str(name): np.asarray(values.values) for name, values in data.variables.items()}
        kind = measurement.partition("_")[0]
        head: dict[str, Any] = {"topic": f"point/{kind}", "index": point, "label": measurement}
        if kind == "map":
            found = [record for record in self.stored.found if DOTS in record]
            head["dots"] = [vars(dot) for record in found[-1:] for dot in stored_dots(record)]
        picture = Picture(head, arrays)
        self.pictures[head["topic"]] = picture
        self.shown.emit(head["topic"], picture)
