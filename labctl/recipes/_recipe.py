"""A recipe that is read: its steps, its hash, and the units that a set-up gives to its scans."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labctl.recipes._nodes import (
    CalibrateNode,
    DotsNode,
    MeasureNode,
    Node,
    Range,
    RecipeFile,
    RepeatNode,
    ScanNode,
    Settle,
)
from labctl.recipes._registry import CALIBRATE
from labctl.recipes._values import canonical
from labctl.setup import Location

__all__ = ["Demand", "Recipe", "walk"]


@dataclass(frozen=True)
class Demand:
    """A calibration that a scan or a measurement rests on and that no earlier step makes.

    Attributes:
        calibration: Its name.
        instrument: The instrument that it is of.
        scan: What is scanned, or the kind of measurement.
        where: File and line of it.
    """

    calibration: str
    instrument: str
    scan: str
    where: str


@dataclass(frozen=True)
class Recipe:
    """A recipe in which nothing is wrong, as far as was checked.

    Attributes:
        file: Its content.
        path: The file; None if it was not read from one.
        units: Unit of each scanned settable, once checked against a set-up.
        demands: Calibrations that must be in force before the recipe begins.
        digest: Short hash of the content, whatever its formatting and comments.
    """

    file: RecipeFile
    path: Path | None = None
    units: Mapping[str, str] = field(default_factory=dict[str, str])
    demands: tuple[Demand, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the hash."""
        text = json.dumps(self.resolved(), sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        object.__setattr__(self, "digest", digest)

    @property
    def name(self) -> str:
        """Name in the user's words."""
        return self.file.name

    @property
    def dot(self) -> str:
        """The dot that the recipe is meant for; empty: whatever is there."""
        return self.file.sample.dot

    def resolved(self) -> dict[str, Any]:
        """Return the recipe with every default written out, as JSON that loads again."""
        data = self.file.model_dump(mode="json", by_alias=True, exclude={"steps"})
        if not self.file.given:
            # Recipes without it keep the hash that they have always had.
            del data["given"]
        data["steps"] = [_data(node) for node in self.file.steps]
        return data


def walk(steps: tuple[Node, ...], at: Location = ("steps",)) -> Iterator[tuple[Node, Location]]:
    """Yield every step of the file with its location, outer ones first."""
    for index, node in enumerate(steps):
        here: Location = (*at, index)
        yield node, here
        if isinstance(node, ScanNode):
            yield from walk(node.steps, (*here, "steps"))
        elif isinstance(node, RepeatNode):
            yield from walk(node.repeat.steps, (*here, "repeat", "steps"))
        elif isinstance(node, DotsNode):
            yield from walk(node.dots.steps, (*here, "dots", "steps"))


def _data(node: Node) -> dict[str, Any]:
    match node:
        case ScanNode():
            data: dict[str, Any] = {"scan": node.scan, "values": _values(node)}
            if node.settle is not None:
                data["settle"] = _settle(node.settle)
            data["steps"] = [_data(inner) for inner in node.steps]
        case RepeatNode():
            inner = [_data(inner) for inner in node.repeat.steps]
            data = {"repeat": {"times": node.repeat.times, "steps": inner}}
        case DotsNode():
            inner = [_data(inner) for inner in node.dots.steps]
            choice = node.dots.model_dump(mode="json", by_alias=True, exclude={"steps"})
            data = {"dots": {**choice, "steps": inner}}
        case CalibrateNode():
            kind = node.measurement.kind.removeprefix(CALIBRATE)
            data = {"calibrate": {"kind": kind, **_parameters(node)}, "label": node.label}
        case MeasureNode():
            data = {node.measurement.kind: _parameters(node), "label": node.label}
        case _:
            data = node.model_dump(mode="json", by_alias=True, exclude={"on_error"})
    return data if node.on_error is None else {**data, "on_error": node.on_error}


def _parameters(node: MeasureNode) -> dict[str, Any]:
    return node.measurement.model_dump(mode="json", by_alias=True, exclude_none=True)


def _values(node: ScanNode) -> Any:
    if isinstance(node.values, Range):
        data = node.values.model_dump(mode="json")
        return {**data, "start": canonical(data["start"]), "stop": canonical(data["stop"])}
    return [canonical(amount) for amount in node.values]


def _settle(settle: Settle) -> dict[str, Any]:
    data = settle.model_dump(mode="json", by_alias=True, exclude_none=True)
    data["tolerance"] = canonical(data["tolerance"])
    data["std"] = canonical(data.get("std", data["tolerance"]))
    return data
