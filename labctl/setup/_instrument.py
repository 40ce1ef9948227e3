"""One instrument of a set-up: its driver, address, limits, settings and simulator."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from labctl.errors import ConfigError, Problem
from labctl.roles import Instrument, Limits, SettableSpec, Settings
from labctl.setup._amount import Amount, number_in
from labctl.setup._faults import known_faults, read_fault
from labctl.setup._models import Fault, InstrumentBlock
from labctl.setup._plugins import RIGS, SIMULATORS, Plugins
from labctl.setup._truth import Scalar, read_truth
from labctl.setup._words import did_you_mean, explain
from labctl.setup._yaml import Document, Location
from labctl.units import format_quantity

__all__ = ["InstrumentSetup", "read_instrument"]

_LONGEST_CALL_S = 5.0
_ADDRESSES = {
    "stream": (
        r"(TCPIP\d*::.+::\d+::SOCKET|(ASRL.+|USB\d*::.+|GPIB\d*::.+|TCPIP\d*::.+)(::INSTR)?)$",
        "like 'TCPIP::host.example::7773::SOCKET' or 'ASRL4::INSTR'",
    ),
    "http": (r"https?://[^\s/]+", "like 'http://cryostat.example:47101'"),
}


@dataclass(frozen=True)
class InstrumentSetup:
    """An instrument as the set-up describes it; nothing is connected.

    Attributes:
        name: Its name in the set-up.
        driver: Entry-point name of the driver.
        driver_type: The driver class.
        address: VISA resource, URL, or what the vendor's library wants; empty: none.
        limits: Narrower limits by settable, in the settable's unit.
        settings: The driver's own keys.
        simulator: Entry-point name of the simulator.
        truth: What it really is where that differs from the simulator's defaults.
        truth_defaults: All truths of the simulator; empty without ``simulate`` in the file.
        faults: Faults that a simulation injects by itself, their parameters as plain numbers.
        isolate: Whether the vendor's library is loaded in a process of its own.
        isolate_simulated: Whether the simulated library is, too; only to see that it works.
        longest_call_s: So long a function of a library in its own process may take, s.
    """

    name: str
    driver: str
    driver_type: type[Instrument]
    address: str
    limits: Mapping[str, Limits]
    settings: Settings
    simulator: str
    truth: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    truth_defaults: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    faults: tuple[Fault, ...] = ()
    isolate: bool = False
    isolate_simulated: bool = False
    longest_call_s: float = _LONGEST_CALL_S

    def isolates(self, *, simulated: bool) -> bool:
        """Whether its library lives in a process of its own, the vendor's or the simulated one."""
        return self.isolate and (self.isolate_simulated or not simulated)

    @property
    def role(self) -> str:
        """Name of the role, e.g. ``cryostat``."""
        return self.driver_type.role

    @property
    def settables(self) -> dict[str, SettableSpec]:
        """The settables of the driver, with the limits of this set-up."""
        return {
            name: _narrowed(spec, self.limits.get(name))
            for name, spec in self.driver_type.settables.items()
        }


class _Reader:
    """Reads one block; collects what is wrong with it."""

    def __init__(self, name: str, document: Document, plugins: Plugins) -> None:
        self.at: Location = ("instruments", name)
        self.name, self.document, self.plugins = name, document, plugins
        self.block = InstrumentBlock.model_validate(document.data["instruments"][name])
        self.problems: list[Problem] = []
        self.truth_files: frozenset[str] = frozenset()

    def read(self) -> InstrumentSetup | None:
        simulator, defaults = self.simulator()
        truth = self.truth(defaults)
        faults = self.faults(simulator)
        driver_type = self.driver()
        if driver_type is None:
            return None
        settings = self.settings(driver_type)
        limits = self.limits(driver_type)
        self.check_address(driver_type)
        self.check_interfaces(driver_type)
        self.check_isolation(driver_type)
        if self.problems or settings is None:
            return None
        return InstrumentSetup(
            self.name,
            self.block.driver,
            driver_type,
            self.block.address,
            limits,
            settings,
            simulator,
            truth,
            defaults,
            faults,
            self.block.isolate,
            self.block.simulate.isolate,
            self.block.longest_call or _LONGEST_CALL_S,
        )

    def problem(self, what: str, *keys: str | int, hint: str = "") -> None:
        where = self.document.where((*self.at, *keys))
        self.problems.append(Problem(f"{self.name}: {what}", where, hint))

    def driver(self) -> type[Instrument] | None:
        try:
            return self.plugins.driver(self.block.driver)
        except ConfigError as error:
            self._adopt(error, "driver")
        return None

    def simulator(self) -> tuple[str, dict[str, Scalar]]:
        named = self.block.simulate.simulator
        name = named or self.block.driver
        # Without a word about simulation, an instrument may well have no simulator; and what is
        # wrong with a driver's name is said once.
        if named is None and name not in self.plugins.names(SIMULATORS):
            return name, {}
        try:
            found = self.plugins.load(SIMULATORS, name)
        except ConfigError as error:
            self._adopt(error, "simulate", "simulator")
            return name, {}
        self.truth_files = cast(frozenset[str], getattr(found, "truth_files", frozenset[str]()))
        return name, dict(cast(Mapping[str, Scalar], found.truth_defaults))

    def truth(self, defaults: Mapping[str, Scalar]) -> dict[str, Scalar]:
        given = self.block.simulate.truth
        if not defaults:
            return {}
        truth, problems = read_truth(given, defaults)
        for key, what, hint in problems:
            self.problem(what, "simulate", "truth", key, hint=hint)
        for key in self.truth_files & truth.keys():
            truth[key] = self.beside(str(truth[key]))
        return truth

    def beside(self, named: str) -> str:
        """Return a relative name of a file as found beside the set-up file, else as it is."""
        path = self.document.path.parent / Path(named).expanduser()
        return str(path) if path.is_file() else named

    def faults(self, simulator: str) -> tuple[Fault, ...]:
        given = self.block.simulate.faults
        attached = simulator in self.plugins.names(SIMULATORS)
        if not given or not attached or "default" not in self.plugins.names(RIGS):
            return given
        known = known_faults(simulator, self.plugins)
        faults: list[Fault] = []
        for index, fault in enumerate(given):
            read, problems = read_fault(fault, known)
            for key, what, hint in problems:
                self.problem(what, "simulate", "faults", index, "parameters", key, hint=hint)
            faults.append(read)
        return tuple(faults)

    def settings(self, driver_type: type[Instrument]) -> Settings | None:
        kind = driver_type.settings_type
        extra = self.block.model_extra or {}
        # Aliases and types are the driver's; only the names of the common keys are taken.
        try:
            return kind.model_validate(extra)
        except ValidationError as error:
            found = explain(error, kind, self.document, self.at, hide=1)
            common = list(InstrumentBlock.model_fields)
            self.problems += [_with_common(problem, common) for problem in found]
        return None

    def limits(self, driver_type: type[Instrument]) -> dict[str, Limits]:
        found: dict[str, Limits] = {}
        for quantity, span in self.block.limits.items():
            spec = driver_type.settables.get(quantity)
            if spec is None:
                hint = did_you_mean(quantity, driver_type.settables, kind="settables")
                what = f"there is no settable {quantity!r} to limit"
                self.problem(what, "limits", quantity, hint=hint)
                continue
            limits = self._span(quantity, span, spec)
            if limits:
                found[quantity] = limits
        return found

    def _span(
        self, quantity: str, span: tuple[Amount, Amount], spec: SettableSpec
    ) -> Limits | None:
        try:
            low, high = (number_in(amount, spec.unit) for amount in span)
        except ValueError as error:
            what, _, hint = str(error).partition("; ")
            self.problem(f"limits of {quantity}: {what}", "limits", quantity, hint=hint)
            return None
        if low > high:
            what = f"limits of {quantity}: {span[0]} is more than {span[1]}"
            self.problem(what, "limits", quantity, hint="write the lower one first")
            return None
        if low not in spec.limits or high not in spec.limits:
            asked = f"{low:g} to {format_quantity(high, spec.unit)}"
            able = f"{spec.limits.low:g} to {format_quantity(spec.limits.high, spec.unit)}"
            what = f"limits of {quantity}: {asked} cannot be reached"
            self.problem(what, "limits", quantity, hint=f"the instrument can do {able}")
            return None
        return Limits(low, high)

    def check_address(self, driver_type: type[Instrument]) -> None:
        address, interface = self.block.address, driver_type.interface
        if interface == "hand" and address:
            self.problem("is worked by hand and has no address", "address", hint="remove the key")
        if interface not in _ADDRESSES:
            return
        pattern, example = _ADDRESSES[interface]
        if not address:
            self.problem("the address is missing", hint=f"write it {example}")
        elif not re.match(pattern, address, re.IGNORECASE):
            self.problem(f"{address!r} is not an address", "address", hint=f"write it {example}")

    def check_interfaces(self, driver_type: type[Instrument]) -> None:
        named = self.block.simulate.simulator
        if named is None or named not in self.plugins.names(SIMULATORS):
            return
        interface = self.plugins.load(SIMULATORS, named).interface
        if interface != driver_type.interface:
            what = f"the simulator {named!r} speaks {interface!r}, the driver {self.block.driver!r}"
            what += f" {driver_type.interface!r}"
            self.problem(what, "simulate", "simulator", hint="leave the key out")

    def check_isolation(self, driver_type: type[Instrument]) -> None:
        if self.block.isolate and driver_type.interface != "library":
            what = "there is no vendor's library that could be in a process of its own"
            self.problem(what, "isolate", hint="remove the key")
        if self.block.isolate:
            return
        without = {
            ("longest_call",): self.block.longest_call is not None,
            ("simulate", "isolate"): self.block.simulate.isolate,
        }
        for keys in (keys for keys, given in without.items() if given):
            what = "it needs a library in a process of its own"
            self.problem(what, *keys, hint="add 'isolate: true', or remove the key")

    def _adopt(self, error: ConfigError, *keys: str) -> None:
        for problem in error.problems:
            self.problem(problem.what, *keys, hint=problem.hint)


def read_instrument(
    name: str, document: Document, plugins: Plugins
) -> tuple[InstrumentSetup | None, list[Problem]]:
    """Read a block whose common keys are known to be of the right form.

    Returns:
        The instrument, or None and what is wrong.
    """
    reader = _Reader(name, document, plugins)
    return reader.read(), reader.problems


def _narrowed(spec: SettableSpec, limits: Limits | None) -> SettableSpec:
    if limits is None:
        return spec
    return SettableSpec(spec.unit, limits, spec.timeout_s, spec.tolerance, spec.settles)


def _with_common(problem: Problem, common: list[str]) -> Problem:
    """Let a hint about keys name those that every instrument has, too."""
    if not problem.what.startswith("unknown key"):
        return problem
    name = problem.what.rsplit("'", 2)[1].rpartition(".")[2]
    own = problem.hint.rpartition("keys: ")[2]
    known = [*common, *(own.split(", ") if own not in ("", "none") else [])]
    return Problem(problem.what, problem.where, did_you_mean(name, known, kind="keys"))
