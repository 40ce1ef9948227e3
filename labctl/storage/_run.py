"""A run as one object, whether it is going on, has crashed or is finished."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labctl.errors import StorageError
from labctl.storage._folders import RunFolder, journal_segments
from labctl.storage._index import Event, Segment
from labctl.storage._records import Header, JournalTail, RunStatus

if TYPE_CHECKING:
    import xarray as xr

    from labctl.storage._sources import Source


class Run:
    """Everything that was measured, as it stood when ``read_run`` was called.

    Attributes:
        path: What was read: the product or the first journal.
        status: How the run stands or ended.
        tails: Where each journal ended, and why; empty for a product.
    """

    def __init__(self, path: Path, source: "Source") -> None:
        """Wrap a source; use ``read_run``."""
        self.path = path
        self._source = source
        self._data = _LazyData(source)
        self._index = source.index
        self.status: RunStatus = source.status
        self.tails: tuple[JournalTail, ...] = source.tails

    def __repr__(self) -> str:
        """Return what a notebook shows: what it is and what can be asked for."""
        names = ", ".join(f"{name!r}" for name in self.data) or "nothing yet"
        return f"<Run {self.name!r}, {self.status.value}: {self.path}; data: {names}>"

    @property
    def start(self) -> Mapping[str, Any]:
        """Content of the start record: recipe, set-up, sample, environment and snapshot."""
        return self._index.start

    @property
    def stop(self) -> Mapping[str, Any] | None:
        """Content of the last stop record: status, reason, snapshot; None without one."""
        return self._index.stop

    @property
    def uid(self) -> str:
        """Unique name of the run."""
        return str(self.start.get("uid", ""))

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return str(self.start.get("name", ""))

    @property
    def title(self) -> str:
        """Title in the user's words."""
        return str(self.start.get("title", ""))

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The processes that worked on the run."""
        return tuple(self._index.segments)

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that happened, in order."""
        return tuple(self._index.events)

    @property
    def sidecars(self) -> tuple[Mapping[str, Any], ...]:
        """Files that belong to the run: name, size in bytes, sha256."""
        return tuple(self._index.sidecars)

    @property
    def found(self) -> tuple[Mapping[str, Any], ...]:
        """Results on which later steps depended."""
        return tuple(self._index.found)

    @property
    def analyses(self) -> tuple[Mapping[str, Any], ...]:
        """Results that were computed while the run was going."""
        return tuple(self._index.analyses)

    @property
    def unknown_kinds(self) -> Mapping[str, int]:
        """Records that a later version of labctl wrote: kind and number; they are skipped."""
        return dict(self._index.unknown)

    @cached_property
    def points(self) -> "xr.Dataset":
        """Every stored point with its set values, readings and settings; dimension ``point``.

        Points that were repeated stand here with all attempts; ``superseded`` marks the old ones.
        """
        from labctl.storage._dataset import points_dataset

        return points_dataset(self._index)

    @cached_property
    def monitors(self) -> "Mapping[str, xr.DataArray]":
        """Readings between the points by quantity, against time in s since the run began."""
        from labctl.storage._dataset import monitor_array

        return {name: monitor_array(name, log) for name, log in self._index.monitors.items()}

    @property
    def data(self) -> "Mapping[str, xr.Dataset]":
        """Arrays by measurement (``data["spectrum"]``), loaded when they are asked for.

        A labelled measurement is ``<measurement>_<label>``; points whose arrays have another
        shape are ``<measurement>_2`` and so on. Of repeated points the last one counts.
        """
        return self._data

    def headers(self) -> Iterator[Header]:
        """Yield every record without its arrays, in order."""
        return self._source.headers()


class _LazyData(Mapping[str, "xr.Dataset"]):
    def __init__(self, source: "Source") -> None:
        self._source = source
        self._made: dict[str, xr.Dataset] = {}

    def __getitem__(self, key: str) -> "xr.Dataset":
        from labctl.storage._dataset import group_dataset, kept_rows

        if key not in self._made:
            index = self._source.index
            group = index.groups[key]
            kept = kept_rows(index, group)
            arrays = self._source.arrays(group, kept)
            self._made[key] = group_dataset(index, group, kept, arrays)
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._source.index.groups)

    def __len__(self) -> int:
        return len(self._source.index.groups)


def read_run(path: Path) -> Run:
    """Read a run that is going on, has crashed or is finished.

    Args:
        path: Run folder, journal or product. From a folder the product is read if it holds
            everything that the journals hold, otherwise the journals.

    Raises:
        StorageError: If there is no run, or it cannot be read.
    """
    from labctl.storage._sources import JournalSource, ProductSource

    path = path.expanduser()
    if path.is_dir():
        folder = RunFolder(path)
        product = folder.product()
        if product is not None:
            return Run(product, ProductSource(product))
        journals = folder.journals()
        if not journals:
            message = f"{path} holds no journal and no product of a run"
            raise StorageError(message)
        return Run(journals[0], JournalSource(journals))
    if path.suffix == ".lcj":
        journals = journal_segments(path)
        return Run(journals[0], JournalSource(journals))
    return Run(path, ProductSource(path))
