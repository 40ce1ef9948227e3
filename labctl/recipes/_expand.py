"""Lazy expansion: a recipe as a stream of numbered steps, in memory of the nesting depth only."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count as counting
from typing import Any, NamedTuple

from labctl.recipes._nodes import (
    CalibrateNode,
    DotChoice,
    DotsNode,
    MeasureNode,
    Node,
    NoteNode,
    OnError,
    RepeatNode,
    ScanNode,
    WaitNode,
)
from labctl.recipes._recipe import Recipe
from labctl.recipes._steps import Calibrate, Loop, Measure, Move, Note, Step, Visit, Wait
from labctl.recipes._values import length, number, unit_of, values_in
from labctl.roles import SettleRule

__all__ = ["count", "expand"]


def expand(recipe: Recipe) -> Iterator[Step]:
    """Yield the steps in order.

    A bare number counts in the unit that the set-up gives to its settable; in a recipe that was
    not checked against a set-up, in the unit of the first value that has one.
    """
    expansion = _Expansion(recipe)
    return expansion.steps(expansion.parts(recipe.file.steps, 0), (recipe.digest, (), ()))


def count(recipe: Recipe) -> int:
    """Return the number of points, without expanding the recipe."""
    return sum(_points(node) for node in recipe.file.steps)


def _points(node: Node) -> int:
    match node:
        case ScanNode():
            return length(node) * sum(_points(inner) for inner in node.steps)
        case RepeatNode():
            return node.repeat.times * sum(_points(inner) for inner in node.repeat.steps)
        case DotsNode():
            return node.dots.at_most * sum(_points(inner) for inner in node.dots.steps)
        case MeasureNode():
            return 1
        case _:
            return 0


_Place = tuple[str, tuple[int, ...], tuple[Loop, ...]]
"""Where steps stand: what their ids and paths begin with, and the loops around them."""


def _inside(place: _Place, position: int, index: int, loop: Loop) -> _Place:
    """Return the place of one value of the loop that is node ``position`` of a place."""
    name, path, loops = place
    return f"{name}/{position}.{index}", (*path, position, index), (*loops, loop)


class _Leaf(NamedTuple):
    """What the steps of a node have in common, at whatever values of the loops around it."""

    kind: type[Step]
    position: int
    on_error: OnError
    details: tuple[Any, ...]


_Part = _Leaf | Callable[[_Place], Iterator[Step]]
"""A node as it is carried out; a node that has steps inside yields them for its place."""


class _Expansion:
    def __init__(self, recipe: Recipe) -> None:
        self._units = recipe.units
        self._on_error: OnError = recipe.file.on_error
        self._number = counting()

    def parts(self, nodes: tuple[Node, ...], first: int) -> list[_Part]:
        # Looked into once: a loop makes their steps again and again.
        return [self._part(node, position) for position, node in enumerate(nodes, first)]

    def steps(self, parts: Sequence[_Part], place: _Place) -> Iterator[Step]:
        for part in parts:
            if isinstance(part, _Leaf):
                yield self._step(place, *part)
            else:
                yield from part(place)

    def _step(
        self,
        place: _Place,
        kind: type[Step],
        position: int,
        on_error: OnError,
        details: tuple[Any, ...],
    ) -> Step:
        begin, path, loops = place
        common = (next(self._number), f"{begin}/{position}", (*path, position), loops, on_error)
        return kind(*common, *details)

    def _part(self, node: Node, position: int) -> _Part:
        on_error = node.on_error or self._on_error
        match node:
            case ScanNode():
                return partial(self._scan, node, on_error, self.parts(node.steps, 1), position)
            case RepeatNode():
                times, inner = node.repeat.times, self.parts(node.repeat.steps, 1)
                return partial(self._repeat, times, inner, position)
            case DotsNode():
                inner = self.parts(node.dots.steps, 1)
                return partial(self._dots, _choice(node), on_error, inner, position)
            case CalibrateNode():
                return _Leaf(Calibrate, position, on_error, (node.measurement, node.label))
            case MeasureNode():
                return _Leaf(Measure, position, on_error, (node.measurement, node.label))
            case WaitNode():
                return _Leaf(Wait, position, on_error, (node.wait_s,))
            case NoteNode():
                return _Leaf(Note, position, on_error, (node.note,))
            case _:
                message = f"a step of kind {type(node).__name__} cannot be expanded"
                raise TypeError(message)

    def _scan(
        self,
        node: ScanNode,
        on_error: OnError,
        inner: Sequence[_Part],
        position: int,
        place: _Place,
    ) -> Iterator[Step]:
        name, unit = node.scan, self._units.get(node.scan) or unit_of(node)
        rule, on_timeout = _rule(node, unit), node.settle.on_timeout if node.settle else "abort"
        for index, value in enumerate(values_in(node, unit)):
            inside = _inside(place, position, index, Loop(name, value, unit))
            yield self._step(inside, Move, 0, on_error, (name, value, unit, rule, on_timeout))
            for part in inner:
                # Most loops end here: one generator less between a step and who carries it out.
                if isinstance(part, _Leaf):
                    yield self._step(inside, *part)
                else:
                    yield from part(inside)

    def _repeat(
        self, times: int, inner: Sequence[_Part], position: int, place: _Place
    ) -> Iterator[Step]:
        for index in range(times):
            loop = Loop("repeat", float(index), "")
            yield from self.steps(inner, _inside(place, position, index, loop))

    def _dots(
        self,
        choice: DotChoice,
        on_error: OnError,
        inner: Sequence[_Part],
        position: int,
        place: _Place,
    ) -> Iterator[Step]:
        for index in range(choice.at_most):
            inside = _inside(place, position, index, Loop("dot", float(index), ""))
            yield self._step(inside, Visit, 0, on_error, (index, choice))
            yield from self.steps(inner, inside)


def _choice(node: DotsNode) -> DotChoice:
    """Return the choice without the steps, which each dot would carry along otherwise."""
    given = node.dots.model_dump(by_alias=True, include=set(DotChoice.model_fields))
    return DotChoice.model_validate(given)


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
