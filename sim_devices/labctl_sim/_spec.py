"""Checks of a rig's spec: every problem at once, with its path and a hint."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, cast

from labctl_sim._registry import find_simulator
from labctl_sim.sample import check_sample, load_sample
from labctl_sim.wire import fault_signatures
from labctl_sim.world import LaserTruth, recorded_problems

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

_KEYS = ("sample", "dot", "memory", "laser", "spectrum", "instruments")
_INSTRUMENT_KEYS = ("simulator", "settings", "truth", "faults", "port", "line")
_FAULT_KEYS = ("kind", "after_s", "parameters")
_HIGHEST_PORT = 65535


def check_spec(spec: Mapping[str, Any]) -> list[Problem]:
    """Find all problems of a spec."""
    problems = list(_unknown((), spec, _KEYS))
    problems += [((), f"the key {key!r} is missing") for key in _missing(spec)]
    if "sample" in spec:
        problems += _check_sample(spec)
    problems += _check_laser(spec.get("laser", {}))
    problems += _check_spectrum(spec.get("spectrum"))
    instruments = spec.get("instruments", {})
    if not isinstance(instruments, Mapping):
        return [*problems, (("instruments",), "must map names to blocks")]
    blocks = cast("Mapping[str, Any]", instruments)
    for name, entry in blocks.items():
        problems += _check_instrument(("instruments", name), entry)
    return problems or list(_check_together(blocks))


def _missing(spec: Mapping[str, Any]) -> list[str]:
    return [key for key in ("sample", "dot", "instruments") if key not in spec]


def _check_sample(spec: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = [
        (("sample", *path), text) for path, text in check_sample(spec["sample"])
    ]
    if problems or "dot" not in spec:
        return problems
    dots = list(load_sample(spec["sample"]).dots)
    if spec["dot"] in dots:
        return []
    return [(("dot",), f"the sample has no dot {spec['dot']!r}; {_hint(str(spec['dot']), dots)}")]


def _check_laser(laser: Any) -> Iterator[Problem]:
    if not isinstance(laser, Mapping):
        yield ("laser",), "must be a block of numbers"
        return
    block = cast("Mapping[str, Any]", laser)
    yield from _unknown(("laser",), block, [field.name for field in fields(LaserTruth)])
    for key, value in block.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield ("laser", key), f"{value!r} is not a number"


def _check_spectrum(spectrum: Any) -> list[Problem]:
    if spectrum is None:
        return []
    if not isinstance(spectrum, Mapping):
        return [(("spectrum",), "must be a block with wavelength_nm and electrons_per_s")]
    block = cast("Mapping[str, Any]", spectrum)
    return [(("spectrum", *path), text) for path, text in recorded_problems(block)]


def _check_instrument(path: Path, entry: Any) -> Iterator[Problem]:
    if not isinstance(entry, Mapping):
        yield path, "must be a block with the key 'simulator'"
        return
    block = cast("Mapping[str, Any]", entry)
    yield from _unknown(path, block, _INSTRUMENT_KEYS)
    port = block.get("port") or 0
    if not isinstance(port, int) or not 0 <= port <= _HIGHEST_PORT:
        yield (*path, "port"), f"{port!r} is not a port number"
    if "simulator" not in block:
        yield path, "the key 'simulator' is missing"
        return
    try:
        simulator = find_simulator(str(block["simulator"]))
    except KeyError as error:
        yield (*path, "simulator"), str(error.args[0])
        return
    wrong = list(_check_truth((*path, "truth"), block.get("truth") or {}, simulator.truth_defaults))
    yield from wrong or _check_possible(path, block, simulator)
    yield from _check_faults((*path, "faults"), block.get("faults") or (), simulator)


def _check_truth(path: Path, truth: Any, defaults: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(truth, Mapping):
        yield path, "must be a block"
        return
    block = cast("Mapping[str, Any]", truth)
    yield from _unknown(path, block, defaults)
    for key, value in block.items():
        if key in defaults and not _same_kind(value, defaults[key]):
            kind = type(defaults[key]).__name__
            yield (*path, key), f"{value!r} is not of the kind of {defaults[key]!r} ({kind})"


def _check_possible(
    path: Path, block: Mapping[str, Any], simulator: type[Any]
) -> Iterator[Problem]:
    """Ask the simulator, if it can tell, which truths cannot be."""
    ask: Any = getattr(simulator, "truth_problems", None)
    if ask is not None:
        found: list[tuple[str, str]] = ask(block.get("settings") or {}, block.get("truth") or {})
        yield from (((*path, "truth", key), text) for key, text in found)


def _check_together(blocks: Mapping[str, Any]) -> Iterator[Problem]:
    """Ask simulators that depend on others of the rig which truths cannot be; all are sound."""
    mates = {name: str(block["simulator"]) for name, block in blocks.items()}
    for name, block in blocks.items():
        ask: Any = getattr(find_simulator(mates[name]), "rig_problems", None)
        if ask is not None:
            found: list[tuple[str, str]] = ask(mates, block.get("truth") or {})
            yield from ((("instruments", name, "truth", key), text) for key, text in found)


def _check_faults(path: Path, faults: Any, simulator: type[Any]) -> Iterator[Problem]:
    if isinstance(faults, str) or not isinstance(faults, Sequence):
        yield path, "must be a list of faults"
        return
    for index, fault in enumerate(cast("Sequence[Any]", faults)):
        yield from _check_fault((*path, index), fault, simulator)


def _check_fault(path: Path, fault: Any, simulator: type[Any]) -> Iterator[Problem]:
    if not isinstance(fault, Mapping) or "kind" not in fault:
        yield path, "must be a block with the key 'kind'"
        return
    block = cast("Mapping[str, Any]", fault)
    yield from _unknown(path, block, _FAULT_KEYS)
    after_s = block.get("after_s", 0.0)
    number = isinstance(after_s, int | float) and not isinstance(after_s, bool)
    if not number or not 0.0 <= after_s < float("inf"):
        yield (*path, "after_s"), f"{after_s!r} is not a time from the start"
    kind, signatures = str(block["kind"]), fault_signatures(simulator)
    if kind not in signatures:
        known = sorted(signatures)
        close = get_close_matches(kind, known, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        yield (*path, "kind"), f"there is no fault {kind!r}; {hint}there are {', '.join(known)}"
        return
    try:
        signatures[kind].bind(**(block.get("parameters") or {}))
    except TypeError as error:
        known = ", ".join(signatures[kind].parameters) or "none"
        yield (*path, "parameters"), f"fault {kind!r}: {error}; its parameters are {known}"


def _same_kind(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


def _unknown(path: Path, block: Mapping[str, Any], known: Iterable[str]) -> Iterator[Problem]:
    names = list(known)
    for key in block:
        if key not in names:
            yield (*path, key), f"unknown key {key!r}; {_hint(str(key), names)}"


def _hint(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(known)}" if known else "there are none"
