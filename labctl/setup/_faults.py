"""Faults of a simulation: in the file ``for: 20 s``, for the simulated set-up ``for_s``."""

from collections.abc import Mapping, Sequence
from typing import Any

from labctl.errors import ConfigError, Problem
from labctl.setup._models import Fault
from labctl.setup._plugins import RIGS, Plugins
from labctl.setup._words import did_you_mean
from labctl.units import format_quantity, parse, split_suffix

__all__ = ["FaultProblem", "injected", "known_faults", "read_fault", "write_fault"]

FaultProblem = tuple[str, str, str]
"""Parameter in the file, what is wrong, hint."""


def injected(simulator: str, kind: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fault's parameters (``for: 3 s``) as the simulated set-up takes them (``for_s``).

    Args:
        simulator: Entry-point name of the simulator that shall fail.
        kind: Kind of the fault; what an unknown kind needs cannot be told, it stays as it is.
        parameters: As a set-up file would have them.

    Raises:
        ConfigError: Parameters that this kind does not have, and quantities without a unit.
    """
    fault = Fault.model_validate({"kind": kind, "parameters": dict(parameters)})
    read, problems = read_fault(fault, known_faults(simulator, Plugins()))
    if problems:
        raise ConfigError([Problem(what, hint=hint) for _, what, hint in problems])
    return read.parameters


def known_faults(simulator: str, plugins: Plugins) -> Mapping[str, Sequence[str]]:
    """Return the kinds of fault of a simulator, each with its parameters."""
    return plugins.load(RIGS, "default").fault_parameters(simulator)


def read_fault(
    fault: Fault, known: Mapping[str, Sequence[str]]
) -> tuple[Fault, list[FaultProblem]]:
    """Return a fault as the simulated set-up takes it, and what is wrong with its parameters.

    Args:
        fault: As the file has it.
        known: Kind → its parameters. What an unknown kind needs cannot be told; it is returned
            as it is, for the simulated set-up to refuse.
    """
    if fault.kind not in known:
        return fault, []
    names = {split_suffix(name)[0]: name for name in known[fault.kind]}
    parameters: dict[str, Any] = {}
    problems: list[FaultProblem] = []
    for key, value in fault.parameters.items():
        if key not in names:
            hint = did_you_mean(key, names, kind="parameters")
            problems.append((key, f"the fault {fault.kind!r} has no parameter {key!r}", hint))
            continue
        try:
            parameters[names[key]] = _value(value, split_suffix(names[key])[1])
        except ValueError as error:
            what, _, hint = str(error).partition("; ")
            problems.append((key, f"{key}: {what}", hint))
    return fault.model_copy(update={"parameters": parameters}), problems


def write_fault(fault: Fault) -> dict[str, Any]:
    """Return a fault as the file has it; the inverse of ``read_fault``."""
    written = fault.model_dump(mode="json", by_alias=True)
    written["parameters"] = dict(map(_written, fault.parameters, fault.parameters.values()))
    return written


def _written(name: str, value: Any) -> tuple[str, Any]:
    key, unit = split_suffix(name)
    return (key, format_quantity(float(value), unit)) if unit else (name, value)


def _value(value: Any, unit: str | None) -> Any:
    if unit is None:
        return value
    if isinstance(value, str):
        return parse(value, unit)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    right = f"{value:g} {unit}" if number else f"1 {unit}"
    message = f"{value!r} has no unit; write '{right}'"
    raise ValueError(message)
