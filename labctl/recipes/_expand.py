"""Lazy expansion: a recipe as a stream of numbered steps, in memory of the nesting depth only."""

from collections.abc import Iterator
from itertools import count as counting
from typing import Any

from labctl.recipes._nodes import (
    CalibrateNode,
    MeasureNode,
    Node,
    NoteNode,
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
    return _Expansion(recipe).steps(recipe.file.steps, (), (), 0)


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


class _Expansion:
    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._number = counting()

    def steps(
        self, nodes: tuple[Node, ...], path: tuple[int, ...], loops: tuple[Loop, ...], first: int
    ) -> Iterator[Step]:
        for position, node in enumerate(nodes, first):
            here = (*path, position)
            match node:
                case ScanNode():
                    yield from self._scan(node, here, loops)
                case RepeatNode():
                    yield from self._repeat(node, here, loops)
                case _:
                    yield self._single(node, here, loops)

    def _scan(
        self, node: ScanNode, path: tuple[int, ...], loops: tuple[Loop, ...]
    ) -> Iterator[Step]:
        unit = self._recipe.units.get(node.scan) or unit_of(node)
        rule, on_timeout = _rule(node, unit), node.settle.on_timeout if node.settle else "abort"
        for index, value in enumerate(values_in(node, unit)):
            here, inside = (*path, index), (*loops, Loop(node.scan, value, unit))
            common = self._common(node, (*here, 0), inside)
            yield Move(**common, settable=node.scan, value=value, unit=unit, rule=rule,
                       on_timeout=on_timeout)  # fmt: skip
            yield from self.steps(node.steps, here, inside, 1)

    def _repeat(
        self, node: RepeatNode, path: tuple[int, ...], loops: tuple[Loop, ...]
    ) -> Iterator[Step]:
        for index in range(node.repeat.times):
            inside = (*loops, Loop("repeat", float(index), ""))
            yield from self.steps(node.repeat.steps, (*path, index), inside, 1)

    def _single(self, node: Node, path: tuple[int, ...], loops: tuple[Loop, ...]) -> Step:
        common = self._common(node, path, loops)
        match node:
            case CalibrateNode():
                return Calibrate(**common, measurement=node.measurement, label=node.label)
            case MeasureNode():
                return Measure(**common, measurement=node.measurement, label=node.label)
            case WaitNode():
                return Wait(**common, seconds=node.wait_s)
            case NoteNode():
                return Note(**common, text=node.note)
            case _:
                message = f"a step of kind {type(node).__name__} cannot be expanded"
                raise TypeError(message)

    def _common(self, node: Node, path: tuple[int, ...], loops: tuple[Loop, ...]) -> dict[str, Any]:
        return {
            "index": next(self._number),
            "id": f"{self._recipe.digest}/{_written(path)}",
            "path": path,
            "loops": loops,
            "on_error": node.on_error or self._recipe.file.on_error,
        }


def _written(path: tuple[int, ...]) -> str:
    pairs = [f"{path[at]}.{path[at + 1]}" for at in range(0, len(path) - 1, 2)]
    return "/".join([*pairs, str(path[-1])])


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
