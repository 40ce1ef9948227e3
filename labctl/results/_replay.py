"""Raw records of a stored point, analysed again by the code that ran while they came."""

from collections.abc import Callable, Sequence

from labctl.errors import AnalysisError, StorageError
from labctl.photons import Analysis, PhotonBooks, Stream, read_ptu, replay
from labctl.results._stored_photons import StoredPhotons

__all__ = ["channels", "replayed"]


def replayed(
    stored: StoredPhotons, make: Callable[[Stream], Sequence[Analysis]]
) -> list[tuple[Sequence[Analysis], PhotonBooks]]:
    """Feed the records of each part of a point to fresh analyses; returns them with the books.

    Raises:
        AnalysisError: The files are missing or cannot be read.
    """
    if not stored.files:
        msg = f"point {stored.point} has no raw records"
        raise AnalysisError(msg)
    found: list[tuple[Sequence[Analysis], PhotonBooks]] = []
    for path in stored.files:
        try:
            file = read_ptu(path)
            analyses = make(file.stream)
            found.append((analyses, replay(file, analyses)))
        except (StorageError, OSError) as error:
            msg = f"point {stored.point}: {error}"
            raise AnalysisError(msg) from error
    return found


def channels(stored: StoredPhotons) -> tuple[int, ...]:
    """Return the channel codes of the point's detectors in its records."""
    return tuple(int(stored.setting(f"detectors.{d}.code") or 0) for d in stored.detectors)
