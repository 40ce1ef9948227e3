"""The world in its own process: whoever holds the lease on its clock lets its time pass.

When the holder dies, the world goes on in wall time, as a real set-up would.
"""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing import AuthenticationError
from typing import Any, cast

from labctl.channels import Channel, connect, listen
from labctl.clock import Action, Cancel, EventQueue, RealClock
from labctl.errors import LabctlError, RefusedError
from labctl.host._rig import Rig

__all__ = ["LeaseServer", "LeasedWorld"]


class LeaseServer:
    """Serves the clock and the library back-ends of a rig to one holder at a time."""

    def __init__(self, rig: Rig, queue: EventQueue, key: bytes, port: int = 0) -> None:
        """Listen on loopback; ``key`` is the shared secret."""
        self._rig, self._queue = rig, queue
        self._listener, self.port = listen(key, port)
        self._closing, self._held = threading.Event(), threading.Event()
        self._wall: threading.Thread | None = None
        self._holders: list[tuple[float, str]] = []
        self._verbs: Mapping[str, Callable[[dict[str, Any]], Any]] = {
            "now": lambda _: queue.now(),
            "step": lambda m: queue.step(m["limit_s"]),
            "addresses": lambda _: rig.addresses(),
            "call": lambda m: rig.call(m["instrument"], m["method"], m["arguments"]),
            "drop": lambda m: rig.drop_client(m["instrument"]),
            "begin_point": lambda m: rig.begin_point(m["point_id"]),
            "select_dot": lambda m: rig.select_dot(m["dot"]),
            "inject": lambda m: rig.inject(m["instrument"], m["fault"], **m["parameters"]),
            "truth": lambda _: rig.truth(),
            "log": lambda _: sorted([*rig.log(), *self._holders]),
            "errors": lambda _: [repr(error) for error in rig.errors],
        }

    def serve(self) -> None:
        """Serve holders one after the other until ``close``."""
        while not self._closing.is_set():
            try:
                channel = Channel(self._listener.accept())
            except (OSError, EOFError, AuthenticationError):
                # Who does not know the secret, or hangs up, is none of our holders.
                continue
            self._stop_wall_time()
            self._hold(channel)
            self._rig.drop_client()
            self._start_wall_time()
        self._stop_wall_time()

    def close(self) -> None:
        """Stop serving."""
        self._closing.set()
        self._listener.close()

    def _hold(self, channel: Channel) -> None:
        try:
            while True:
                message = channel.receive()
                if message["do"] == "close":
                    channel.send({"result": None})
                    self._closing.set()
                    return
                channel.send(self._answer(message))
        except (EOFError, OSError):
            return
        finally:
            channel.close()

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": self._verbs[message["do"]](message)}
        # Whatever goes wrong in the world travels to the holder, who raises it.
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _start_wall_time(self) -> None:
        self._holders.append((self._queue.now(), "holder gone"))
        self._held.clear()
        self._wall = threading.Thread(target=self._go_on_in_wall_time, daemon=True)
        self._wall.start()

    def _stop_wall_time(self) -> None:
        self._held.set()
        if self._wall is not None:
            self._wall.join()
            self._wall = None

    def _go_on_in_wall_time(self) -> None:
        zero_s = self._queue.now()
        clock = RealClock()
        while not self._held.is_set():
            self._queue.step(zero_s + clock.now())
            clock.sleep(0.02)


class LeasedWorld:
    """A rig in another process, whose time passes only when this side says so."""

    def __init__(self, port: int, key: bytes, faces: Mapping[str, Callable[..., object]]) -> None:
        """Take the lease.

        Args:
            port: Port of the lease server on loopback.
            key: The shared secret.
            faces: For each library instrument, what builds the vendor's functions over a back-end.
        """
        self._channel: Channel = connect(port, key)
        self._faces = faces
        self._lock = threading.Lock()
        self.errors: list[BaseException] = []

    def now(self) -> float:
        """Return the world's time in s; it may be later than that of any holder before."""
        return float(self._ask("now"))

    def step(self, limit_s: float | None) -> tuple[float, bool]:
        """Carry out the next event due by ``limit_s``; see ``labctl.clock.WorldTime``."""
        now_s, happened = self._ask("step", limit_s=limit_s)
        return float(now_s), bool(happened)

    def schedule(self, at_s: float, action: Action) -> Cancel:
        """Refuse: the world's events are its own."""
        raise RefusedError("world", "lives in another process; nothing can be scheduled from here")

    def start(self) -> None:
        """Do nothing: the world is running."""

    def addresses(self) -> dict[str, str]:
        """Return where each byte-protocol simulator listens."""
        return cast(dict[str, str], self._ask("addresses"))

    def library(self, instrument: str) -> object:
        """Return the vendor's functions in this process over the back-end in the other one."""
        return self._faces[instrument](partial(self.call, instrument))

    def call(self, instrument: str, method: str, arguments: list[Any]) -> Any:
        """Call the back-end of a library simulator."""
        return self._ask("call", instrument=instrument, method=method, arguments=arguments)

    def quiesce(self, timeout_s: float = 5.0) -> None:
        """Do nothing: every step brings the other process to rest."""

    def begin_point(self, point_id: str) -> None:
        """Seed the noise of what follows by this id."""
        self._ask("begin_point", point_id=point_id)

    def select_dot(self, dot: str) -> None:
        """Put a dot on the optical axis."""
        self._ask("select_dot", dot=dot)

    def inject(self, instrument: str, kind: str, **parameters: Any) -> None:
        """Let a simulator fail."""
        self._ask("inject", instrument=instrument, fault=kind, parameters=parameters)

    def truth(self) -> dict[str, Any]:
        """Return what the world really is."""
        return cast(dict[str, Any], self._ask("truth"))

    def log(self) -> list[tuple[float, str]]:
        """Return when light was let in and shut, and when holders of the lease went."""
        return [(float(at_s), str(what)) for at_s, what in self._ask("log")]

    def drop_client(self, instrument: str = "") -> None:
        """Tell which library's process has gone; whether this one has, the other sees itself."""
        if instrument:
            self._ask("drop", instrument=instrument)

    def close(self) -> None:
        """Give the lease back; the world goes on in wall time."""
        self._channel.close()

    def end_world(self) -> None:
        """End the other process's serving."""
        self._ask("close")

    def _ask(self, verb: str, **fields: Any) -> Any:
        try:
            with self._lock:
                answer = self._channel.ask({"do": verb, **fields})
        except (EOFError, OSError) as error:
            message = f"the simulated world has gone ({verb})"
            raise LabctlError(message) from error
        if "error" in answer:
            message = f"the simulated world refuses {verb}: {answer['error']}"
            raise LabctlError(message)
        return answer["result"]
