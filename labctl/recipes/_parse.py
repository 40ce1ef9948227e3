"""From plain data to steps; collects every problem with its line."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from labctl.errors import Problem
from labctl.measurements import Measurement
from labctl.recipes._nodes import (
    CalibrateNode,
    DotsNode,
    MeasureNode,
    Node,
    NoteNode,
    RecipeFile,
    RepeatNode,
    ScanNode,
    WaitNode,
)
from labctl.recipes._registry import calibration_types, measurement_types
from labctl.setup import Document, Location, did_you_mean, explain

__all__ = ["GRAMMAR", "parse_file"]

GRAMMAR: dict[str, type[Node]] = {
    "scan": ScanNode,
    "repeat": RepeatNode,
    "dots": DotsNode,
    "wait": WaitNode,
    "note": NoteNode,
}
"""First word of a step → its model; measurements and ``calibrate`` come in addition."""

_SIBLINGS = ("label", "on_error")
_BROKEN = NoteNode(note="a step that could not be read")


def parse_file(document: Document) -> tuple[RecipeFile | None, list[Problem]]:
    """Return the recipe of a file, and what is wrong with it.

    What can be read of a recipe with problems is returned too, with notes in the place of broken
    steps, so that the rest can be checked in the same round; None if nothing can.
    """
    parser = _Parser(document)
    data = {**document.data}
    if "steps" in data:
        data["steps"] = parser.steps(data["steps"], ("steps",))
    file = parser.validated(RecipeFile, data, (), hide=0)
    if file is None:
        file = _readable(data)
    return (file if isinstance(file, RecipeFile) else None), parser.problems


def _readable(data: Mapping[str, Any]) -> RecipeFile | None:
    try:
        return RecipeFile.model_validate({"name": "?", "steps": data.get("steps", ())})
    except ValidationError:
        return None


class _Parser:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._measurements = measurement_types()
        self._calibrations = calibration_types()
        self.problems: list[Problem] = []

    def steps(self, data: Any, at: Location) -> Any:
        """Return the steps of a list; anything else is left for its model to refuse."""
        if not isinstance(data, list):
            return data
        return tuple(
            self._step(entry, (*at, index)) for index, entry in enumerate(cast(list[Any], data))
        )

    def validated(
        self, model: type[BaseModel], data: Any, at: Location, *, hide: int
    ) -> BaseModel | None:
        """Return the model, or None after noting why not."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.problems += explain(error, model, self._document, at, hide=hide)
            return None

    def _problem(self, what: str, at: Location, hint: str = "") -> None:
        self.problems.append(Problem(what, self._document.where(at), hint))

    def _step(self, entry: Any, at: Location) -> Node:
        verb = self._verb(entry, at)
        if verb is None:
            return _BROKEN
        read: Mapping[str, Callable[[dict[Any, Any], Location], BaseModel | None]] = {
            "scan": self._scan,
            "repeat": partial(self._block, "repeat"),
            "dots": partial(self._block, "dots"),
            "calibrate": self._calibrate,
        }
        if verb in read:
            found = read[verb](entry, at)
        elif verb in GRAMMAR:
            found = self.validated(GRAMMAR[verb], entry, at, hide=len(at))
        else:
            found = self._measure(verb, entry, at)
        return found if isinstance(found, Node) else _BROKEN

    def _verb(self, entry: Any, at: Location) -> str | None:
        known = [*GRAMMAR, "calibrate", *self._measurements]
        if not isinstance(entry, dict):
            hint = "write it like 'spectrum: {exposure: 1 s}'"
            self._problem(f"{entry!r} is not a step", at, hint)
            return None
        keys = [str(key) for key in cast(dict[Any, Any], entry)]
        verbs = [key for key in keys if key in known]
        if len(verbs) == 1:
            return verbs[0]
        if verbs:
            what = f"one step does two things: {' and '.join(map(repr, verbs))}"
            self._problem(what, at, "begin each step with '- '")
            return None
        named = next((key for key in keys if key not in (*_SIBLINGS, "steps", "values")), "")
        hint = did_you_mean(named, known, kind="steps")
        self._problem(f"there is no step {named!r}", (*at, named), hint)
        return None

    def _scan(self, entry: dict[Any, Any], at: Location) -> BaseModel | None:
        data = dict(entry)
        if "steps" in data:
            data["steps"] = self.steps(data["steps"], (*at, "steps"))
        return self.validated(ScanNode, data, at, hide=len(at))

    def _block(self, verb: str, entry: dict[Any, Any], at: Location) -> BaseModel | None:
        data: dict[Any, Any] = dict(entry)
        body = entry[verb]
        if isinstance(body, dict) and "steps" in body:
            inner = dict(cast(dict[Any, Any], body))
            inner["steps"] = self.steps(inner["steps"], (*at, verb, "steps"))
            data[verb] = inner
        return self.validated(GRAMMAR[verb], data, at, hide=len(at))

    def _measure(self, verb: str, entry: dict[Any, Any], at: Location) -> BaseModel | None:
        measurement = self._parameters(self._measurements[verb], entry[verb], (*at, verb))
        return self._with_siblings(MeasureNode, measurement, verb, entry, at)

    def _calibrate(self, entry: dict[Any, Any], at: Location) -> BaseModel | None:
        given = entry["calibrate"]
        body = dict(cast(dict[Any, Any], given)) if isinstance(given, dict) else {}
        kind = body.pop("kind", None)
        if kind not in self._calibrations:
            what = f"there is no calibration {kind!r}" if kind else "the kind is missing"
            hint = did_you_mean(kind or "", self._calibrations, kind="kinds")
            self._problem(f"calibrate: {what}", (*at, "calibrate", "kind"), hint)
            return None
        measurement = self._parameters(self._calibrations[kind], body, (*at, "calibrate"))
        return self._with_siblings(CalibrateNode, measurement, "calibrate", entry, at)

    def _parameters(self, kind: type[Measurement], body: Any, at: Location) -> Measurement | None:
        data: Any = {} if body is None else body
        found = self.validated(kind, data, at, hide=len(at) - 1)
        return found if isinstance(found, Measurement) else None

    def _with_siblings(
        self,
        model: type[MeasureNode],
        measurement: Measurement | None,
        verb: str,
        entry: dict[Any, Any],
        at: Location,
    ) -> BaseModel | None:
        data = {key: value for key, value in entry.items() if key != verb}
        for key in [key for key in data if key not in _SIBLINGS]:
            hint = f"{did_you_mean(key, _SIBLINGS, kind='keys')}; is it indented too little?"
            self._problem(f"unknown key {key!r} beside {verb!r}", (*at, key), hint)
            del data[key]
        if measurement is None:
            return None
        return self.validated(model, {**data, "measurement": measurement}, at, hide=len(at))
