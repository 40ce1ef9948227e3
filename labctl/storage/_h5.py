"""The only place that touches h5py: groups, fields with units, stacks of points, links."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from labctl.errors import StorageError

_SMALL_BYTES = 4096
"""Smaller fields are not compressed; a filter would make them larger."""


class H5Stack:
    """A field whose first dimension is the point, written one point at a time."""

    def __init__(self, dataset: h5py.Dataset, rows_per_write: int) -> None:
        """Wrap a dataset; whole chunks of points are written at once."""
        self._dataset = dataset
        self._limit = rows_per_write
        self._waiting: list[NDArray[Any]] = []
        self._first = 0

    def append(self, values: NDArray[Any]) -> None:
        """Add the next point."""
        self._waiting.append(values)
        if len(self._waiting) >= self._limit:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if self._waiting:
            end = self._first + len(self._waiting)
            self._dataset[self._first : end] = np.stack(self._waiting)
            self._first, self._waiting = end, []


class H5Stream:
    """Bytes of any length, compressed, written piece by piece."""

    def __init__(self, dataset: h5py.Dataset, block_bytes: int) -> None:
        """Wrap a one-dimensional dataset of bytes."""
        self._dataset = dataset
        self._limit = block_bytes
        self._waiting = bytearray()

    def append(self, piece: bytes) -> None:
        """Add bytes."""
        self._waiting += piece
        if len(self._waiting) >= self._limit:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        first = self._dataset.shape[0]
        end = first + len(self._waiting)
        self._dataset.resize((end,))
        self._dataset[first:end] = np.frombuffer(bytes(self._waiting), dtype=np.uint8)
        self._waiting.clear()


class H5Group:
    """A group of an open file. Every number gets its unit when it is written."""

    def __init__(self, group: h5py.Group) -> None:
        """Wrap a group."""
        self._group = group

    @property
    def path(self) -> str:
        """Absolute path in the file."""
        return self._group.name

    def mark(self, **attributes: str | Sequence[str] | NDArray[Any]) -> None:
        """Set attributes of the group."""
        _mark(self._group, attributes)

    def child(self, name: str, nx_class: str, **attributes: str) -> "H5Group":
        """Return a sub-group of a NeXus class, created if need be."""
        group = self._group.require_group(name)
        _mark(group, {"NX_class": nx_class, **attributes})
        return H5Group(group)

    def text(self, name: str, value: str, **attributes: str) -> None:
        """Write a text; nul characters, which HDF5 cannot hold, are shown as ``�``."""
        clean = value.replace("\0", "\ufffd")
        dataset = self._group.create_dataset(name, data=clean, dtype=h5py.string_dtype())
        _mark(dataset, attributes)

    def number(self, name: str, value: float, units: str, **attributes: str) -> None:
        """Write one number; Python integers become 64-bit integers."""
        dataset = self._group.create_dataset(name, data=np.asarray(value))
        _mark(dataset, {"units": units, **attributes})

    def array(self, name: str, values: NDArray[Any], units: str, **attributes: str) -> None:
        """Write a whole array of numbers or texts; texts get no unit."""
        if values.dtype.kind == "U":
            texts = [text.replace("\0", "\ufffd") for text in values.tolist()]
            dataset = self._group.create_dataset(
                name, shape=values.shape, data=texts, dtype=h5py.string_dtype()
            )
            _mark(dataset, attributes)
            return
        filters = _filters(values.nbytes > _SMALL_BYTES)
        dataset = self._group.create_dataset(name, data=values, **filters)
        _mark(dataset, {"units": units, **attributes})

    def stack(
        self,
        name: str,
        rows: int,
        shape: tuple[int, ...],
        dtype: str,
        units: str,
        **attributes: str,
    ) -> H5Stack:
        """Create a field for ``rows`` points.

        A chunk is one point; points smaller than 4 KiB share a chunk, because each chunk costs.
        """
        row_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        per_chunk = min(rows, max(1, _SMALL_BYTES // max(row_bytes, 1)))
        options: dict[str, Any] = {}
        if rows and row_bytes:
            options = {**_filters(True), "chunks": (per_chunk, *shape)}
        dataset = self._group.create_dataset(
            name, shape=(rows, *shape), dtype=np.dtype(dtype), **options
        )
        _mark(dataset, {"units": units, **attributes})
        return H5Stack(dataset, per_chunk)

    def stream(self, name: str, block_bytes: int = 65536, **attributes: str) -> H5Stream:
        """Create a field of bytes that grows."""
        dataset = self._group.create_dataset(
            name,
            shape=(0,),
            dtype=np.uint8,
            maxshape=(None,),
            chunks=(block_bytes,),
            **_filters(True),
        )
        _mark(dataset, {"units": "", **attributes})
        return H5Stream(dataset, block_bytes)

    def link(self, name: str, target: str) -> None:
        """Give an existing object (absolute path) a second name here, as NeXus wants it."""
        original = self._group[target]
        _mark(original, {"target": target})
        self._group[name] = original

    def scale(self, name: str) -> None:
        """Make a one-dimensional field a dimension scale."""
        self._dataset(name).make_scale(name)

    def attach(self, name: str, axis: int, scale: str) -> None:
        """Name a dimension of a field by a dimension scale."""
        self._dataset(name).dims[axis].attach_scale(self._dataset(scale))

    def mark_field(self, name: str, **attributes: str | np.bool_) -> None:
        """Set attributes of a field."""
        _mark(self._group[name], attributes)

    def has(self, name: str) -> bool:
        """Return whether there is an object of this name."""
        return name in self._group

    def group(self, name: str) -> "H5Group":
        """Return an existing group."""
        found = self._group[name]
        if not isinstance(found, h5py.Group):
            message = f"{found.name} is no group"
            raise StorageError(message)
        return H5Group(found)

    def read(self, name: str) -> NDArray[Any]:
        """Return the numbers of a field."""
        return np.asarray(self._dataset(name)[()])

    def read_text(self, name: str) -> str:
        """Return a text."""
        return str(self._dataset(name).asstr()[()])

    def _dataset(self, name: str) -> h5py.Dataset:
        found = self._group[name]
        if not isinstance(found, h5py.Dataset):
            message = f"{found.name} is no field"
            raise StorageError(message)
        return found


class H5Node:
    """A group or field as the lint sees it: path, attributes, and what lies below."""

    def __init__(self, node: h5py.Group | h5py.Dataset, path: str) -> None:
        """Wrap an object under the path by which it was reached."""
        self._node = node
        self.path = path
        self.attributes: dict[str, Any] = dict(node.attrs)

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return isinstance(self._node, h5py.Group)

    @property
    def is_numeric(self) -> bool:
        """Whether it is a field of numbers or booleans."""
        return not isinstance(self._node, h5py.Group) and self._node.dtype.kind in "biufc"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a field; empty for groups and single values."""
        return () if isinstance(self._node, h5py.Group) else self._node.shape

    def children(self) -> "Iterator[H5Node]":
        """Yield what lies directly below."""
        if isinstance(self._node, h5py.Group):
            for name in self._node:
                yield H5Node(self._node[name], f"{self.path.rstrip('/')}/{name}")

    def find(self, path: str) -> "H5Node | None":
        """Return another object of the file by absolute or relative path."""
        group = self._node if isinstance(self._node, h5py.Group) else None
        if group is None or path not in group:
            return None
        return H5Node(group[path], f"{self.path.rstrip('/')}/{path}")

    def same_object(self, other: "H5Node") -> bool:
        """Return whether two paths lead to one object."""
        return hash(self) == hash(other)

    def __hash__(self) -> int:
        """Hash by the object, whatever its path."""
        return hash(self._node)

    def __eq__(self, other: object) -> bool:
        """Compare by the object, whatever its path."""
        return isinstance(other, H5Node) and self.same_object(other)


@contextmanager
def create_h5(path: Path) -> Generator[H5Group]:
    """Create a file, replacing an old one of this name, and close it at the end."""
    with h5py.File(path, "w") as file:
        yield H5Group(file)


@contextmanager
def open_h5(path: Path) -> Generator[H5Group]:
    """Open a file for reading.

    Raises:
        StorageError: If it is no HDF5 file or cannot be opened.
    """
    with _open(path) as file:
        yield H5Group(file)


@contextmanager
def open_tree(path: Path) -> Generator[H5Node]:
    """Open a file for looking through its structure."""
    with _open(path) as file:
        yield H5Node(file, "/")


def _open(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except FileNotFoundError as error:
        message = f"{path}: there is no such file"
        raise StorageError(message) from error
    except OSError as error:
        message = f"{path} cannot be read as HDF5: {error}"
        raise StorageError(message) from error


def _filters(compressed: bool) -> dict[str, Any]:
    if not compressed:
        return {}
    return {"compression": "gzip", "compression_opts": 1, "shuffle": True, "fletcher32": True}


def _mark(node: h5py.HLObject, attributes: "dict[str, Any]") -> None:
    for name, value in attributes.items():
        plain = isinstance(value, (str, np.ndarray, np.generic))
        node.attrs[name] = value if plain else list(value)
