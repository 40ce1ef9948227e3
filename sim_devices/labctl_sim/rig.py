"""One world with every simulator of a set-up attached, and the server that carries their bytes."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from labctl_sim._registry import find_simulator
from labctl_sim._spec import check_spec
from labctl_sim.libraries import broken
from labctl_sim.sample import load_sample
from labctl_sim.wire import Faults, Opener, Server, fault_signatures, on_one_line
from labctl_sim.world import LaserTruth, Recorded, World

__all__ = ["Rig"]

Path = tuple[str | int, ...]


class Rig:
    """The simulated side of a set-up.

    Args:
        spec: ``sample`` (a sample file's data), ``dot``, ``memory``, ``laser`` and ``instruments``:
            name to ``simulator`` (an entry point of ``labctl.simulators``), ``settings``, ``truth``
            and, if wanted, ``port``, ``line`` (instruments with the same text share one serial
            line) and ``faults`` (a list of ``kind``, ``after_s`` since the start, and
            ``parameters``). ``spectrum`` (lists ``wavelength_nm`` and
            ``electrons_per_s``) shines in the place of the sample's dot. Numbers are plain, their
            keys carry the unit.
        now: The clock, s.
        schedule: ``schedule(at_s, action)`` gives a function that cancels.
        seed: Integer from the run's seed and labels.

    Raises:
        ValueError: The spec is wrong; the message lists every problem.

    Attributes:
        errors: Exceptions that simulators let escape; a sound rig has none.
        world: The world, for tests.
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        *,
        now: Callable[[], float],
        schedule: Callable[[float, Callable[[], None]], Callable[[], None]],
        seed: Callable[..., int],
    ) -> None:
        problems = self.check(spec)
        if problems:
            lines = [f"{'.'.join(map(str, path))}: {text}" for path, text in problems]
            raise ValueError("\n".join(lines))
        self.errors: list[BaseException] = []
        self._spec = spec
        self._seed = seed
        self.world = World(
            sample=load_sample(spec["sample"]),
            dot=str(spec["dot"]),
            laser=LaserTruth(**spec.get("laser", {})),
            now=now,
            schedule=schedule,
            seed=seed,
            memory=bool(spec.get("memory", True)),
            recorded=Recorded.read(spec["spectrum"]) if spec.get("spectrum") else None,
        )
        # What no instrument controls was switched on and opened by hand.
        self.world.table.laser_on = True
        self.world.table.shutter_open = True
        self._simulators: dict[str, Any] = {}
        self._faults: dict[str, Faults] = {}
        self._addresses: dict[str, str] = {}
        self._to_come: list[Callable[[], None]] = []
        self._lines: dict[str, list[str]] = {}
        """First instrument of each connection → all instruments on it."""
        with self.world.lock:
            for name, entry in spec["instruments"].items():
                self._attach(name, entry)
        self._server = Server(self.world.lock, self.errors.append)

    @staticmethod
    def check(spec: Mapping[str, Any]) -> list[tuple[Path, str]]:
        """Find all problems of a spec: path in it, and a message with a hint."""
        return check_spec(spec)

    @staticmethod
    def fault_parameters(simulator: str) -> dict[str, tuple[str, ...]]:
        """Name the kinds of fault that a simulator knows, each with its parameters.

        Raises:
            KeyError: There is no such simulator.
        """
        signatures = fault_signatures(find_simulator(simulator))
        return {kind: tuple(signatures[kind].parameters) for kind in sorted(signatures)}

    def start(self) -> None:
        """Open the ports on 127.0.0.1, start the server thread, bring faults on their way.

        Raises:
            OSError: A port that was asked for is taken.
        """
        for first, units in self._lines.items():
            simulator = self._simulators[first]
            opener = on_one_line([self._guarded(name) for name in units])
            port = int(self._spec["instruments"][first].get("port") or 0)
            port = self._server.listen(first, opener, port)
            for name in units:
                self._addresses[name] = _address(simulator.interface, port)
        for name, entry in self._spec["instruments"].items():
            for fault in entry.get("faults") or ():
                self._await_fault(name, fault)
        self._server.start()

    def addresses(self) -> dict[str, str]:
        """Give the addresses of all instruments with a wire, once started."""
        return dict(self._addresses)

    def library(self, instrument: str) -> object:
        """Give the stand-in for the vendor's library, or for the person's hand.

        Raises:
            KeyError: There is no such instrument.
            ValueError: It is reached by an address.
        """
        simulator = self._get(instrument)
        if simulator.interface not in {"library", "hand"}:
            raise ValueError(f"{instrument} is reached by its address, not by a library")

        def call(method: str, arguments: list[Any]) -> Any:
            return self.call(instrument, method, arguments)

        return simulator.face(call)

    def call(self, instrument: str, method: str, arguments: list[Any]) -> Any:
        """Call the backend of a library simulator with plain values.

        Raises:
            KeyError: There is no such instrument.
        """
        simulator = self._get(instrument)
        if simulator.interface == "library":
            if strike := self._faults[instrument].strike():
                return broken(strike)
        else:
            self._faults[instrument].wait_awake()
        with self.world.lock:
            return simulator.call(method, arguments)

    def quiesce(self, timeout_s: float = 5.0) -> None:
        """Wait (wall time) until nothing is readable and no session is busy.

        Raises:
            TimeoutError: It did not become quiet; the message names the connections.
        """
        self._server.quiesce(timeout_s)

    def begin_point(self, point_id: str) -> None:
        """Let the noise of the next stored result begin."""
        self.world.begin_point(point_id)

    def select_dot(self, dot: str) -> None:
        """Put a dot on the optical axis.

        Raises:
            KeyError: The sample has no such dot.
        """
        self.world.select_dot(dot)

    def inject(self, instrument: str, kind: str, **parameters: Any) -> None:
        """Bring a fault about, see :meth:`labctl_sim.wire.Faults.inject`.

        Raises:
            KeyError: There is no such instrument.
            ValueError: The kind or a parameter is unknown; the message lists what there is.
        """
        self._get(instrument)
        with self.world.lock:
            self._faults[instrument].inject(kind, **parameters)

    def truth(self) -> dict[str, Any]:
        """Give what the world really is; for tests only."""
        instruments = {
            name: {**simulator.truth_defaults, **self._spec["instruments"][name].get("truth", {})}
            for name, simulator in self._simulators.items()
        }
        return {
            "sample": dict(self._spec["sample"]),
            "dot": self.world.dot_name,
            "laser": vars(self.world.laser).copy(),
            "instruments": instruments,
        }

    def drop_client(self, instrument: str = "") -> None:
        """Let the operating system close what a program that has died had open in libraries.

        ``instrument`` names the one whose library the program had; empty: it had all of them.
        """
        for name, simulator in self._simulators.items():
            if simulator.interface == "library" and instrument in ("", name):
                simulator.drop_client()

    def log(self) -> list[tuple[float, str]]:
        """Give when laser light was let in and shut, by the world's clock, s."""
        with self.world.lock:
            changes = self.world.table.excitation.changes(-np.inf, np.inf)[1:]
        return [(at_s, "light on" if value else "light off") for at_s, value in changes]

    def close(self) -> None:
        """Stop the server, close every socket, let hanging calls return.

        Raises:
            TimeoutError: A session is stuck and the server thread does not end.
        """
        for cancel in self._to_come:
            cancel()
        for faults in self._faults.values():
            faults.release()
        self._server.close()

    def _attach(self, name: str, entry: Mapping[str, Any]) -> None:
        simulator_type = find_simulator(str(entry["simulator"]))
        settings: Mapping[str, Any] = entry.get("settings") or {}
        simulator = simulator_type(name, self.world, settings, entry.get("truth") or {})
        self._simulators[name] = simulator
        wired = simulator.interface in {"stream", "http"}
        first = self._line_of(name, entry) if wired else ""

        def generator(number: int) -> np.random.Generator:
            return np.random.Generator(np.random.PCG64(self._seed(name, "fault", number)))

        self._faults[name] = Faults(
            name,
            simulator,
            self.world,
            generator=generator,
            disconnect=(lambda: self._server.disconnect(first)) if wired else None,
        )

    def _line_of(self, name: str, entry: Mapping[str, Any]) -> str:
        """Put an instrument with a wire on its line; name the first instrument there."""
        blocks = self._spec["instruments"]
        line = entry.get("line")
        shared = [other for other in self._lines if line and blocks[other].get("line") == line]
        first = shared[0] if shared else name
        self._lines.setdefault(first, []).append(name)
        return first

    def _guarded(self, name: str) -> Opener:
        return self._faults[name].guard(self._simulators[name].open)

    def _await_fault(self, name: str, fault: Mapping[str, Any]) -> None:
        parameters: Mapping[str, Any] = fault.get("parameters") or {}
        after_s = float(fault.get("after_s", 0.0))

        def strike() -> None:
            try:
                self.inject(name, str(fault["kind"]), **parameters)
            except ValueError as error:
                # The clock's owner cannot do anything about a parameter of a fault.
                self.errors.append(error)

        if after_s > 0.0:
            self._to_come.append(self.world.after(after_s, strike))
        else:
            strike()

    def _get(self, instrument: str) -> Any:
        if instrument not in self._simulators:
            known = ", ".join(self._simulators)
            raise KeyError(f"no instrument {instrument!r}; there are {known}")
        return self._simulators[instrument]


def _address(interface: str, port: int) -> str:
    if interface == "http":
        return f"http://127.0.0.1:{port}"
    return f"TCPIP::127.0.0.1::{port}::SOCKET"
