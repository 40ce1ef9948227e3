"""Problems that the simulated set-up itself finds in its sample and truths."""

from collections.abc import Mapping
from typing import Any, cast

from labctl.errors import Problem
from labctl.setup._instrument import InstrumentSetup
from labctl.setup._plugins import RIGS, SIMULATORS, Plugins
from labctl.setup._simulated import simulated
from labctl.setup._words import spelled
from labctl.setup._yaml import Document, Location
from labctl.units import split_suffix

__all__ = ["check_rig"]


def check_rig(
    setup: Document | None,
    sample: Document,
    instruments: Mapping[str, InstrumentSetup],
    plugins: Plugins,
) -> list[Problem]:
    """Let the installed rig check a sample, and the instruments that have a simulator.

    Returns:
        Its problems with file and line; none if no rig is installed.
    """
    if "default" not in plugins.names(RIGS):
        return []
    rig = plugins.load(RIGS, "default")
    attached = {
        name: simulated(entry)
        for name, entry in instruments.items()
        if entry.simulator in plugins.names(SIMULATORS)
    }
    spec = {
        "sample": sample.data,
        "dot": _first_dot(sample),
        "memory": True,
        "instruments": attached,
    }
    found = cast(list[tuple[Location, str]], rig.check(spec))
    return [_problem(setup, sample, path, text) for path, text in found if path[:1] != ("dot",)]


def _first_dot(sample: Document) -> str:
    dots: Any = sample.data.get("dots")
    return str(next(iter(cast(dict[Any, Any], dots)), "")) if isinstance(dots, dict) else ""


def _problem(setup: Document | None, sample: Document, path: Location, text: str) -> Problem:
    what, _, hint = text.partition("; ")
    if path[:1] == ("sample",):
        inside = path[1:]
        named = spelled(inside)
        return Problem(f"{named}: {what}" if named else what, sample.where(inside), hint)
    if setup is None:
        return Problem(what, sample.where(), hint)
    return Problem(f"{spelled(path)}: {what}", setup.where(_in_file(path)), hint)


def _in_file(path: Location) -> Location:
    """Return where in the set-up file a key of the rig's spec comes from."""
    if path[:1] != ("instruments",) or len(path) < 3:
        return path
    name, section, rest = path[1], path[2], path[3:]
    keys = tuple(split_suffix(key)[0] if isinstance(key, str) else key for key in rest)
    if section == "settings":
        return ("instruments", name, *keys)
    return ("instruments", name, "simulate", section, *keys)
