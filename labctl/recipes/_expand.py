"""Lazy expansion: a recipe as a stream of numbered steps, in memory of the nesting depth only."""

from collections.abc import Iterator
from itertools import count as counting
from typing import NamedTuple

from labctl.recipes._nodes import (
    CalibrateNode,
    MeasureNode,
    Node,
    NoteNode,
    OnError,
    RepeatNode,
    ScanNode,
    WaitNode,
)
from labctl.recipes._recipe import Recipe
from labctl.recipes._steps import Calibrate, Loop, Measure, Move, Note, Step, Wait
from labctl.recipes._values import length, number, unit_of, values_in
from labctl.roles import SettleRule

__all__ = ["count", "expand"]


def expand(recipe: Recipe) -> Iterator[Step]:
    """Yield the steps in order.

    A bare number counts in the unit that the set-up gives to its settable; in a recipe that was
    not checked against a set-up, in the unit of the first value that has one.
    """
    return _Expansion(recipe).steps(recipe.file.steps, _Place(recipe.digest, (), ()), 0)


def count(recipe: Recipe) -> int:
    """Return the number of points, without expanding the recipe."""
    return sum(_points(node) for node in recipe.file.steps)


def _points(node: Node) -> int:
    match node:
        case ScanNode():
            return length(node) * sum(_points(inner) for inner in node.steps)
        case RepeatNode():
            return node.repeat.times * sum(_points(inner) for inner in node.repeat.steps)
        case MeasureNode():
            return 1
        case _:
            return 0


class _Place(NamedTuple):
    """Where steps stand: what their ids and paths begin with, and the loops around them."""

    id: str
    path: tuple[int, ...]
    loops: tuple[Loop, ...]

    def inside(self, position: int, index: int, loop: Loop) -> "_Place":
        """Return the place of one value of the loop that is node ``position`` here."""
        place = f"{self.id}/{position}.{index}"
        return _Place(place, (*self.path, position, index), (*self.loops, loop))


class _Expansion:
    def __init__(self, recipe: Recipe) -> None:
        self._units = recipe.units
        self._on_error: OnError = recipe.file.on_error
        self._number = counting()

    def steps(self, nodes: tuple[Node, ...], place: _Place, first: int) -> Iterator[Step]:
        for position, node in enumerate(nodes, first):
            match node:
                case ScanNode():
                    yield from self._scan(node, place, position)
                case RepeatNode():
                    yield from self._repeat(node, place, position)
                case _:
                    yield self._single(node, place, position)

    def _scan(self, node: ScanNode, place: _Place, position: int) -> Iterator[Step]:
        name, unit = node.scan, self._units.get(node.scan) or unit_of(node)
        rule, on_timeout = _rule(node, unit), node.settle.on_timeout if node.settle else "abort"
        for index, value in enumerate(values_in(node, unit)):
            inside = place.inside(position, index, Loop(name, value, unit))
            yield Move(*self._common(node, inside, 0), name, value, unit, rule, on_timeout)
            yield from self.steps(node.steps, inside, 1)

    def _repeat(self, node: RepeatNode, place: _Place, position: int) -> Iterator[Step]:
        for index in range(node.repeat.times):
            inside = place.inside(position, index, Loop("repeat", float(index), ""))
            yield from self.steps(node.repeat.steps, inside, 1)

    def _single(self, node: Node, place: _Place, position: int) -> Step:
        common = self._common(node, place, position)
        match node:
            case CalibrateNode():
                return Calibrate(*common, node.measurement, node.label)
            case MeasureNode():
                return Measure(*common, node.measurement, node.label)
            case WaitNode():
                return Wait(*common, node.wait_s)
            case NoteNode():
                return Note(*common, node.note)
            case _:
                message = f"a step of kind {type(node).__name__} cannot be expanded"
                raise TypeError(message)

    def _common(
        self, node: Node, place: _Place, position: int
    ) -> tuple[int, str, tuple[int, ...], tuple[Loop, ...], OnError]:
        """Return the fields of ``Step`` in their order."""
        return (
            next(self._number),
            f"{place.id}/{position}",
            (*place.path, position),
            place.loops,
            node.on_error or self._on_error,
        )


def _rule(node: ScanNode, unit: str) -> SettleRule | None:
    settle = node.settle
    if settle is None:
        return None
    std = settle.tolerance if settle.std is None else settle.std
    return SettleRule(
        number(settle.tolerance, unit),
        number(std, unit),
        settle.dwell_s,
        settle.timeout_s,
        settle.poll_s,
    )
