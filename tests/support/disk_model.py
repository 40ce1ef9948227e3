"""A disk that is honest about what it has not written yet: records system calls, replays cuts.

What a program writes lies in the memory of the operating system until the file is synced; a new or
changed name lies there until its directory is synced. A power cut keeps what was synced, and of the
rest any pages of 4 KiB and any names. A killed program leaves everything, its last write torn.
"""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

PAGE = 4096


@dataclass(frozen=True)
class Call:
    """One system call, or an acknowledgement between them."""

    kind: str
    path: str = ""
    data: bytes = b""
    offset: int = 0
    other: str = ""


class Recorder:
    """Stands in the place of ``os`` in the durable layer: passes calls on and writes them down."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._files: dict[int, str] = {}
        self._offsets: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        descriptor = os.open(path, flags, mode)
        self._files[descriptor], self._offsets[descriptor] = str(path), 0
        if flags & os.O_CREAT:
            self.calls.append(Call("create", str(path)))
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        count = os.write(descriptor, data)
        offset = self._offsets[descriptor]
        self.calls.append(Call("write", self._files[descriptor], bytes(data[:count]), offset))
        self._offsets[descriptor] = offset + count
        return count

    def ftruncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)
        self.calls.append(Call("truncate", self._files[descriptor], offset=size))

    def lseek(self, descriptor: int, offset: int, how: int) -> int:
        self._offsets[descriptor] = os.lseek(descriptor, offset, how)
        return self._offsets[descriptor]

    def fsync(self, descriptor: int) -> None:
        path = Path(self._files[descriptor])
        if not path.is_dir() and path.suffix == ".part":
            # Written by the HDF5 library, beneath Python: all of it is pending until now.
            self.calls.append(Call("create", str(path)))
            self.calls.append(Call("write", str(path), path.read_bytes()))
        os.fsync(descriptor)
        self.calls.append(Call("sync_names" if path.is_dir() else "sync", str(path)))

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def acknowledge(self, what: int) -> None:
        """Note that something counts from now on."""
        self.calls.append(Call("acknowledge", offset=what))


@contextmanager
def recording() -> Generator[Recorder]:
    """Record what the durable layer of the storage does in the block."""
    recorder = Recorder()
    replace = Path.replace

    def renamed(source: Path, target: Any) -> Path:
        found = replace(source, target)
        recorder.calls.append(Call("rename", str(source), other=str(target)))
        return found

    with ExitStack() as stack:
        stack.enter_context(patch("labctl.storage._durable.os", recorder))
        stack.enter_context(patch("labctl.storage._writer.os", recorder))
        stack.enter_context(patch.object(Path, "replace", renamed))
        yield recorder


@dataclass
class _File:
    """Content on the disk, and writes (offset, bytes; None: cut to the offset) that are not."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list[tuple[int, bytes | None]])

    def sync(self) -> None:
        for offset, data in self.pending:
            _apply(self.synced, offset, data)
        self.pending.clear()

    def after_cut(self, rng: np.random.Generator) -> bytes:
        """Return what is there when the power comes back."""
        content = bytearray(self.synced)
        share = rng.uniform(0.0, 1.0)
        for offset, data in self.pending:
            if data is None:
                if rng.random() < share:
                    _apply(content, offset, None)
                continue
            for begin in range(0, len(data), PAGE):
                if rng.random() < share:
                    _apply(content, offset + begin, data[begin : begin + PAGE])
        return bytes(content)

    def now(self) -> bytes:
        content = bytearray(self.synced)
        for offset, data in self.pending:
            _apply(content, offset, data)
        return bytes(content)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        # A hole: the size was written, the page before was not.
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


@dataclass
class State:
    """What lies on the disk at one instant; names lead to files, as the disk keeps them."""

    files: list[_File] = field(default_factory=list[_File])
    names: dict[str, int] = field(default_factory=dict[str, int])
    synced_names: dict[str, int] = field(default_factory=dict[str, int])
    acknowledged: int = 0

    def carry_out(self, call: Call) -> None:
        match call.kind:
            case "create":
                self.files.append(_File())
                self.names[call.path] = len(self.files) - 1
            case "write":
                self._file(call.path).pending.append((call.offset, call.data))
            case "truncate":
                self._file(call.path).pending.append((call.offset, None))
            case "sync":
                self._file(call.path).sync()
            case "rename":
                self.names[call.other] = self.names.pop(call.path)
            case "sync_names":
                inside = {name for name in self.names if str(Path(name).parent) == call.path}
                gone = {n for n in self.synced_names if str(Path(n).parent) == call.path} - inside
                self.synced_names.update({name: self.names[name] for name in inside})
                for name in gone:
                    del self.synced_names[name]
            case "acknowledge":
                self.acknowledged = max(self.acknowledged, call.offset)
            case _:
                raise AssertionError(call)

    def after_power_cut(self, rng: np.random.Generator) -> dict[str, bytes]:
        """Return name and content of what is left."""
        names = dict(self.synced_names)
        for name in {*self.names, *self.synced_names}:
            if self.names.get(name) != names.get(name) and rng.random() < 0.5:
                if name in self.names:
                    names[name] = self.names[name]
                else:
                    del names[name]
        return {name: self.files[one].after_cut(rng) for name, one in names.items()}

    def after_kill(self, call: Call | None, rng: np.random.Generator) -> dict[str, bytes]:
        """Return name and content of what is left if the program dies inside ``call``."""
        found = {name: self.files[one].now() for name, one in self.names.items()}
        if call is not None and call.kind == "write" and call.data:
            content = bytearray(found[call.path])
            _apply(content, call.offset, call.data[: int(rng.integers(0, len(call.data)))])
            found[call.path] = bytes(content)
        return found

    def _file(self, path: str) -> _File:
        return self.files[self.names[path]]


def lay_out(content: dict[str, bytes], folder: Path) -> None:
    """Write what is left into an empty folder."""
    folder.mkdir(parents=True)
    for name, data in content.items():
        (folder / Path(name).name).write_bytes(data)
