"""How a driver of a vendor library or of a hand-operated thing is given what it talks to."""

from dataclasses import dataclass

from labctl.transport._recorded_library import Record

__all__ = ["LibraryLink"]


@dataclass(frozen=True)
class LibraryLink:
    """A library object, or the order to load the vendor's own.

    Attributes:
        library: Object with the vendor's function names; None: the driver loads the vendor's.
        record: Takes name, arguments and result of every call, for the flight recorder.
    """

    library: object | None = None
    record: Record | None = None
