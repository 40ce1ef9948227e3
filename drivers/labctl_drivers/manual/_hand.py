"""The person's hand as a library object."""

from labctl.transport import LibraryLink, RecordedLibrary

__all__ = ["recorded"]


def recorded(link: LibraryLink) -> object | None:
    """Return the hand of a link, its actions recorded; None where a real person has to do it."""
    if link.library is None or link.record is None:
        return link.library
    return RecordedLibrary(link.library, link.record)
