"""The safe state of a set-up that nobody holds any more: connect what it needs, and no more."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread
from time import monotonic

from labctl.errors import LabctlError
from labctl.roles import Composite
from labctl.stations._station import SafeReport, Station

__all__ = ["Rescued", "rescue"]


@dataclass(frozen=True)
class Rescued:
    """What became of one entry of the safe state.

    Attributes:
        action: ``instrument.action``.
        error: Empty if it is verified.
        after_s: Wall time from the beginning of the rescue, s.
    """

    action: str
    error: str
    after_s: float


def rescue(station: Station, *, inline: bool, within_s: float) -> list[Rescued]:
    """Connect the instruments of the safe state, each for itself, and carry it out.

    Nothing else is connected, nothing moves and the cryostat stays as it is. Instruments are
    rescued side by side, so that one that hangs keeps light from being shut nowhere else.

    Args:
        station: Not connected.
        inline: Whether to rescue one after the other on this thread (virtual time).
        within_s: How long to wait for instruments that hang, s of wall time.
    """
    began_s = monotonic()

    def since() -> float:
        return monotonic() - began_s

    actions = _by_instrument(station)
    if inline:
        return [r for name in actions for r in _rescue_one(station, name, actions[name], since)]
    jobs = {name: _begin(station, name, actions[name], since) for name in actions}
    wait(jobs.values(), within_s)
    return [r for name, job in jobs.items() for r in _result(job, actions[name], since)]


def _by_instrument(station: Station) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for action in station.safe_state:
        found.setdefault(action.partition(".")[0], []).append(action)
    return found


def _begin(
    station: Station, name: str, actions: list[str], since: Callable[[], float]
) -> "Future[list[Rescued]]":
    future: Future[list[Rescued]] = Future()

    def work() -> None:
        future.set_result(list(_rescue_one(station, name, actions, since)))

    # A daemon: a call that never returns must not keep the rescuer from ending.
    Thread(target=work, name=f"rescue of {name}", daemon=True).start()
    return future


def _rescue_one(
    station: Station, name: str, actions: list[str], since: Callable[[], float]
) -> Iterator[Rescued]:
    try:
        for needed in (*_parts(station, name), name):
            station[needed].connect()
    # Whatever a driver does, the report says it and the other instruments are rescued.
    except Exception as error:
        words = str(error) if isinstance(error, LabctlError | OSError) else repr(error)
        yield from (Rescued(action, f"not connected: {words}", since()) for action in actions)
        return
    for action in actions:
        report: SafeReport = station.make_one_safe(action)
        yield Rescued(action, report.error, since())


def _parts(station: Station, name: str) -> list[str]:
    instrument = station[name]
    if not isinstance(instrument, Composite):
        return []
    return [part for part in instrument.part_names().values() if part]


def _result(
    job: "Future[list[Rescued]]", actions: list[str], since: Callable[[], float]
) -> list[Rescued]:
    if job.done():
        return job.result()
    return [Rescued(action, "no answer", since()) for action in actions]
