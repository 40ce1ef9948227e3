"""Loading pylablib's PICam module upon a library object of our choice, and watching it.

pylablib keeps one PICam library per process. The cameras that are open at the same time share it,
and every call is told to each of them.
"""

import importlib
from typing import Any, Protocol

from labctl.errors import RefusedError
from labctl.transport import RecordedLibrary

__all__ = ["Listener", "SharedLibrary", "shared_library"]


class Listener(Protocol):
    """Is told of the calls of the library."""

    def entered(self, name: str) -> None:
        """Hear of a call before it."""
        ...

    def called(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        """Hear of a call after it: arguments as passed, the library's code."""
        ...


class SharedLibrary:
    """The one PICam library of this process."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._source: object | None = None
        self._listeners: list[Listener] = []

    @property
    def module(self) -> Any:
        """Return pylablib's module ``picam``; imported here, at the first use only."""
        return importlib.import_module("pylablib.devices.PrincetonInstruments.picam")

    def open_camera(
        self, device: str, serial: str, library: object | None, listener: Listener
    ) -> Any:
        """Return pylablib's camera, opened; ``listener`` is told of its calls until ``leave``.

        Args:
            device: Name of the instrument, for errors.
            serial: Serial number, empty for the first camera.
            library: Object with the library's functions; None loads the vendor's library.
            listener: Told of every call.

        Raises:
            RefusedError: Another camera is open upon another library.
        """
        first = not self._listeners
        if not first and library is not self._source:
            raise RefusedError(
                device,
                "a second PICam library in one process",
                "let all PICam cameras of a process use the same library",
            )
        self._listeners.append(listener)
        try:
            if first:
                self._load(library)
            return self.module.PicamCamera(serial or None)
        except BaseException:
            self.leave(listener)
            raise

    def leave(self, listener: Listener) -> None:
        """Stop telling ``listener``; the last one gives the library up."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners:
            self.module.libctl.shutdown()

    def _load(self, library: object | None) -> None:
        loading: Any = importlib.import_module("pylablib.devices.utils.load_lib")
        original = loading.load_lib

        def load(*arguments: Any, **options: Any) -> RecordedLibrary:
            loaded = original(*arguments, **options) if library is None else library
            return RecordedLibrary(loaded, self._tell, self._announce)

        self._source = library
        loading.load_lib = load
        try:
            # Without this pylablib goes on using what an earlier connection has loaded.
            self.module.libctl.initialized = False
            self.module.libctl.preinit()
        finally:
            loading.load_lib = original

    def _tell(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        for listener in tuple(self._listeners):
            listener.called(name, arguments, result)

    def _announce(self, name: str) -> None:
        for listener in tuple(self._listeners):
            listener.entered(name)


shared_library = SharedLibrary()
"""The library of this process."""
