"""The red stop: makes the light safe beside whatever the engine and the drivers do.

Every entry of the safe state is ordered at once, each on its instrument's own thread, so that a
driver that hangs keeps none of the others. Two independent things end the light, the shutter and
the laser: one is enough.
"""

from concurrent.futures import Future, wait
from functools import partial
from time import monotonic

from labctl.roles import Instrument
from labctl.stations import Station, beside

__all__ = ["RedStop"]

_AT_ONCE_S = 0.1


class RedStop:
    """What was ordered by one press."""

    def __init__(self, station: Station) -> None:
        """Order everything; returns at once."""
        self._began_s = monotonic()
        self._jobs: dict[str, Future[float]] = {}
        for entry in station.safe_state:
            name, _, action = entry.partition(".")
            self._jobs[entry] = _ordered(station[name], action)

    def outcome(self, within_s: float = _AT_ONCE_S) -> dict[str, str]:
        """Return what has become of each entry: ``ok`` and when, ``waits``, or what is wrong."""
        wait(self._jobs.values(), within_s)
        return {entry: self._word(job) for entry, job in self._jobs.items()}

    def _word(self, job: "Future[float]") -> str:
        if not job.done():
            return "waits: the instrument has not answered yet"
        error = job.exception()
        if error is not None:
            return f"NOT SAFE: {error}"
        return f"ok after {1000 * (job.result() - self._began_s):.0f} ms"


def _ordered(instrument: Instrument, action: str) -> "Future[float]":
    try:
        return beside(instrument, partial(_safe, action))
    # Whatever it is, the next entry has its turn.
    except Exception as error:
        failed: Future[float] = Future()
        failed.set_exception(error)
        return failed


def _safe(action: str, instrument: Instrument) -> float:
    instrument.make_safe(action)
    return monotonic()
