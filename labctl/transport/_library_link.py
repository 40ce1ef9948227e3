"""How a driver of a vendor library or of a hand-operated thing is given what it talks to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar, cast

from labctl.transport._recorded_library import Entered, Record, RecordedLibrary
from labctl.transport.isolated import Isolation, LibraryProcess, opened_in

__all__ = ["LibraryLink"]

T = TypeVar("T")
P = ParamSpec("P")


@dataclass
class LibraryLink:
    """A library object, or the order to load the vendor's own; here or in its own process.

    Attributes:
        library: Object with the vendor's function names; None: the driver loads the vendor's.
        record: Takes name, arguments and result of every call, for the flight recorder.
        isolation: Where it is to live in a process of its own.
        entered: Told the name of every function before it is called, in such a process.
    """

    library: object | None = None
    record: Record | None = None
    isolation: Isolation | None = None
    entered: Entered | None = None
    process: LibraryProcess | None = field(default=None, init=False, repr=False)
    """The process that has the library at the moment."""

    def open(
        self,
        kind: Callable[Concatenate[str, "LibraryLink", P], T],
        device: str,
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        """Return ``kind(device, link, *arguments)``: the class of a driver that calls the library.

        In a process of its own only its methods and attributes with plain values are there. Its
        attribute ``slow_s``, if it has one, maps ends of names of functions to the time that they
        may take, s, where that is more than the set-up allows any call.

        Raises:
            DeviceError: The library cannot be loaded, or does not do what it must at the start.
        """
        self.let_go()
        if self.isolation is None:
            return kind(device, self, *arguments, **named)
        slow_s: Mapping[str, float] = getattr(kind, "slow_s", {})
        self.process = LibraryProcess(device, self.isolation, self.record, slow_s)
        try:
            opened = opened_in(self.process, kind, device, self.isolation, arguments, named)
        except BaseException:
            self.let_go()
            raise
        return cast(T, opened)

    def let_go(self) -> None:
        """End the library's process, if it has one; the instrument has been closed before."""
        process, self.process = self.process, None
        if process is not None:
            process.end()

    def watched(self, library: object) -> object:
        """Return a loaded library whose calls are recorded, if somebody wants them."""
        if self.record is None:
            return library
        return RecordedLibrary(library, self.record, self.entered)
