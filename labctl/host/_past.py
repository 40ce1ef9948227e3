"""An interrupted run against the present: is what goes on with it still the same set-up?"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from pydantic_core import from_json, to_json

from labctl.errors import ConfigError, Problem
from labctl.host._calibrations import Results
from labctl.host._request import RunRequest
from labctl.recipes import load_recipe
from labctl.sequencer import Past, Session
from labctl.setup import Setup
from labctl.stations import Station

__all__ = [
    "calibrations_of",
    "differences",
    "open_past",
    "resume_request",
    "script_past",
    "segment_data",
    "tell_past",
]

_ACCEPT = "make it as it was, or go on with --accept; the run then says what was different"
_WHERE_IT_RUNS = ("isolate", "longest_call")
"""Keys of an instrument that say where its library is called, and how long that may take."""


def open_past(run: Path) -> Past:
    """Read an interrupted run.

    Raises:
        ConfigError: Nothing of it is left to be done.
        StorageError: It cannot be read, or is going on.
    """
    past = Past.read(run)
    if past.status == "complete":
        what = f"the run in {past.folder.path} is complete; nothing is left to be done"
        raise ConfigError([Problem(what, str(run))])
    return past


def resume_request(run: Path, *, accept: bool = False, setup: Path | None = None) -> RunRequest:
    """Return the request to go on with an interrupted run.

    Args:
        run: Its folder, or one of its journals.
        accept: Whether differences between then and now are accepted, and recorded.
        setup: Set-up file, where it has been moved.

    Raises:
        ConfigError: It is complete, or a script has made it.
        StorageError: It cannot be read, or is going on.
    """
    past = open_past(run)
    origin = past.start.get("origin")
    if not origin:
        what = f"the run '{past.start['name']}' comes from no recipe, but from a script"
        hint = "its loops are not in the file; run the script again with lab.run(…, resume=RUN)"
        raise ConfigError([Problem(what, str(run), hint)])
    request = RunRequest.model_validate_json(json.dumps(origin))
    changes = {"resume": past.folder.path, "accept": accept}
    return request.model_copy(update=changes | ({"setup": setup} if setup else {}))


def script_past(run: Path) -> Past:
    """Read an interrupted run of a script.

    Raises:
        ConfigError: It is complete, or a recipe has made it.
        StorageError: It cannot be read, or is going on.
    """
    past = open_past(run)
    if past.start.get("origin"):
        what = f"the run '{past.start['name']}' comes from a recipe, not from a script"
        raise ConfigError([Problem(what, str(run), f"labctl resume {past.folder.path}")])
    return past


def differences(
    past: Past,
    setup: Setup,
    origin: Mapping[str, Any],
    station: Station,
    calibrations: Results,
    *,
    accept: bool,
) -> list[str]:
    """Return in words everything that is not as it was.

    Raises:
        ConfigError: Something is not, and that is not accepted; names all of it, not the first.
    """
    found = [
        *_version(past),
        *_of_the_recipe(past, setup, origin),
        *_compared("set-up", _of_data(past.setup), _of_data(setup.resolved())),
        *_of_the_instruments(past, station),
        *_of_the_calibrations(past, calibrations),
    ]
    if found and not accept:
        where = str(past.folder.path)
        raise ConfigError([Problem(text, where, _ACCEPT) for text in found])
    return found


def calibrations_of(past: Past, present: Results) -> Results:
    """Return the calibrations with which the run goes on: its newest, unless others are present.

    One that was made just before the run broke off may not have reached its file.
    """
    known = {name: dict(results) for name, results in present.items()}
    for (name, key), history in past.calibrations.items():
        if _plain(known.get(name, {}).get(key)) in history:
            known.setdefault(name, {})[key] = dict(history[-1])
    return known


def segment_data(past: Past, accepted: list[str]) -> dict[str, Any]:
    """Return the content of the first record of the segment that goes on with a run."""
    reason = f"{past.status}: {past.reason}" if past.reason else past.status
    return {
        "number": past.segment,
        "continues": past.uid,
        "reason": reason,
        "points": past.points,
        "accepted": accepted,
    }


def tell_past(session: Session, past: Past, accepted: list[str], *, fresh_world: bool) -> None:
    """Say in the run how it goes on, what differs from before, and what cannot be continued."""
    book = session.book
    book.message("info", "run", f"goes on after {past.points} points, {past.reason}")
    for text in accepted:
        book.message("warning", "run", f"accepted by the user: {text}", difference=text)
    if past.banked_s:
        text = f"{past.banked_s:g} s were banked for the point that follows; it is measured anew"
        book.message("warning", "run", f"{text}, and the part is kept in the file")
    if fresh_world:
        text = "the simulated world is a new one: its dose, drift and time begin again"
        book.message("warning", "simulation", text)
    elif session.stages.stand():
        session.stages.believe(past.memory)
        text = "stages without read-out stand where they were at the last point, as far as is known"
        book.message("warning", "run", text)


def _version(past: Past) -> list[str]:
    then, now = past.version, version("labctl")
    return [] if then == now else [f"labctl: was {then}, is {now}"]


def _of_the_recipe(past: Past, setup: Setup, origin: Mapping[str, Any]) -> list[str]:
    """Compare with the recipe's file; if it is gone, there is nothing that could differ."""
    path = Path(str(origin.get("recipe", "")))
    if not path.is_file():
        return []
    try:
        now = load_recipe(path, setup).resolved()
    except ConfigError as error:
        return [f"recipe: {problem.what}" for problem in error.problems]
    return list(_compared("recipe", past.start["recipe"], now))


def _of_data(setup: Mapping[str, Any]) -> dict[str, Any]:
    """Return a set-up without what changes no data: in which process a library is called."""
    return {**setup, "instruments": {n: _block(one) for n, one in setup["instruments"].items()}}


def _block(instrument: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in instrument.items() if key not in _WHERE_IT_RUNS}
    if "simulate" in kept:
        kept["simulate"] = {k: v for k, v in kept["simulate"].items() if k not in _WHERE_IT_RUNS}
    return kept


def _of_the_instruments(past: Past, station: Station) -> Iterator[str]:
    for name, then in past.identities.items():
        now = station.identities.get(name)
        if now is not None:
            yield from _compared(name, then, asdict(now))


def _of_the_calibrations(past: Past, present: Results) -> Iterator[str]:
    known = {(name, key): one for name, found in present.items() for key, one in found.items()}
    for name, key in sorted({*known, *past.calibrations}):
        history, now = past.calibrations.get((name, key), [None]), known.get((name, key))
        if _plain(now) not in history:
            then = _dated(history[-1])
            yield f"calibration {name!r} of {key}: was {then}, is {_dated(now)}"


def _dated(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "not there"
    found = result.get("calibrated_at") or result.get("taken") or "of an unknown date"
    return f"made {found}"


def _compared(what: str, then: Any, now: Any) -> Iterator[str]:
    """Yield which keys differ, by their dotted names, with both values."""
    before, after = dict(_leaves(_plain(then))), dict(_leaves(_plain(now)))
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            values = f"was {_shown(before, key)}, is {_shown(after, key)}"
            yield f"{what}: {key}: {values}" if key else f"{what}: {values}"


def _shown(leaves: Mapping[str, Any], key: str) -> str:
    return json.dumps(leaves[key], ensure_ascii=False) if key in leaves else "absent"


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    entries: Mapping[str, Any] = {}
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
    elif isinstance(value, list):
        entries = {str(number): one for number, one in enumerate(cast("list[Any]", value))}
    if not entries:
        yield name, value
    for key, inner in entries.items():
        yield from _leaves(inner, f"{name}.{key}" if name else key)


def _plain(value: Any) -> Any:
    """Return what is left of a value in a journal."""
    return from_json(to_json(value, inf_nan_mode="null"))
