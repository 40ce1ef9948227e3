"""One worker thread per instrument in wall time, so that a hung driver holds up nobody else."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, TypeVar, cast

from labctl.clock import Clock
from labctl.errors import NoReplyError
from labctl.roles import Instrument

__all__ = ["on_worker"]

R = TypeVar("R", bound=Instrument)
CALL_DEADLINE_S = 120.0
"""No call to an instrument takes longer: drivers start things and ask, they never wait."""


class _OnWorker:
    """Stands for an instrument; every call runs on the instrument's own thread.

    The caller waits through its clock, so periodic actions, guards and commands go on meanwhile
    as far as they use other connections.
    """

    def __init__(self, instrument: Instrument, clock: Clock) -> None:
        self._instrument, self._clock = instrument, clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"instrument {instrument.name}")
        self._hung: Future[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._instrument, name)
        return partial(self._call, name, found) if callable(found) else found

    @property
    def __class__(self) -> type:
        # isinstance(station["camera"], Camera) must tell the role, not the stand-in.
        return type(self._instrument)

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise AttributeError(value)

    def close(self) -> None:
        """Close the instrument and end its thread; a hung call is left behind."""
        if self._hung is None or self._hung.done():
            self._call("close", self._instrument.close)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _call(self, name: str, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        if self._hung is not None and not self._hung.done():
            raise NoReplyError(
                self._instrument.name, name, "an earlier call still hangs", "restart the instrument"
            )
        future = self._pool.submit(function, *args, **named)
        wait([future], 0.0005)
        deadline_s = self._clock.now() + CALL_DEADLINE_S
        done = self._clock.wait_until(
            future.done, deadline_s=deadline_s, what=f"{self._instrument.name}.{name}"
        )
        if not done:
            self._hung = future
            raise NoReplyError(
                self._instrument.name, name, "the call does not return", "restart the instrument"
            )
        return future.result()


def on_worker(instrument: R, clock: Clock) -> R:
    """Return a stand-in of the instrument whose calls run on a thread of its own."""
    return cast(R, _OnWorker(instrument, clock))
