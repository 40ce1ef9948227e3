"""How many points a recipe takes, and how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from labctl.measurements import VISIT_S
from labctl.recipes._expand import count
from labctl.recipes._nodes import DotsNode, MeasureNode, Node, RepeatNode, ScanNode, WaitNode
from labctl.recipes._recipe import Recipe
from labctl.recipes._values import length, values_in
from labctl.roles import SettableSpec, Thermostat
from labctl.setup import Setup

__all__ = ["Estimate", "estimate"]

_MOVE_S = 5.0
_APPROACH_S = 30.0
_WARMING_S_PER_K = 10.0
_COOLING_S_PER_K = 15.0


@dataclass(frozen=True)
class Estimate:
    """What a recipe will take.

    Attributes:
        points: Number of points.
        seconds: Lab time, s.
        parts: Lab time of each part, s: settables, measurements, ``wait``.
    """

    points: int
    seconds: float
    parts: Mapping[str, float] = field(default_factory=dict[str, float])


def estimate(recipe: Recipe, setup: Setup) -> Estimate:
    """Return points and lab time without expanding the recipe.

    The rule: a measurement says itself how long it takes; a fast move takes 5 s; a temperature
    takes 10 s for each kelvin upwards (a ramp of 6 K/min) and 15 s for each kelvin downwards, 30 s
    to come near its set point, and the dwell time of its settle rule. A loop over dots counts as if
    it found all that it may go to, 25 s for the way to each. Runs on the simulated
    cryostats take this within 15 %. The first move of a recipe counts without a step, for nobody
    knows where it begins; one that is scanned again and again also returns to its first value.
    """
    parts: dict[str, float] = {}
    for node in recipe.file.steps:
        _add(node, 1, parts, setup)
    return Estimate(count(recipe), sum(parts.values()), parts)


def _add(node: Node, times: int, parts: dict[str, float], setup: Setup) -> None:
    match node:
        case ScanNode():
            spec = setup.settable(node.scan)
            _book(parts, node.scan, _moves_s(node, spec, times))
            for inner in node.steps:
                _add(inner, times * length(node), parts, setup)
        case RepeatNode():
            for inner in node.repeat.steps:
                _add(inner, times * node.repeat.times, parts, setup)
        case DotsNode():
            dots = times * node.dots.at_most
            _book(parts, "dots", dots * VISIT_S)
            for inner in node.dots.steps:
                _add(inner, dots, parts, setup)
        case WaitNode():
            _book(parts, "wait", times * node.wait_s)
        case MeasureNode():
            _book(parts, node.measurement.kind, times * node.measurement.estimate_s())
        case _:
            pass


def _book(parts: dict[str, float], name: str, seconds: float) -> None:
    parts[name] = parts.get(name, 0.0) + seconds


def _moves_s(node: ScanNode, spec: SettableSpec, times: int) -> float:
    if not spec.settles:
        return _MOVE_S * length(node) * times
    dwell_s = node.settle.dwell_s if node.settle else Thermostat.settle_rule.dwell_s
    still_s = times * length(node) * (_APPROACH_S + dwell_s)
    if spec.unit != "K":
        return still_s
    ramps_s, first_k, last_k = 0.0, None, 0.0
    for value_k in values_in(node, spec.unit):
        ramps_s += 0.0 if first_k is None else _ramp_s(last_k, value_k)
        first_k, last_k = value_k if first_k is None else first_k, value_k
    back_s = 0.0 if first_k is None else _ramp_s(last_k, first_k)
    return still_s + times * ramps_s + max(times - 1, 0) * back_s


def _ramp_s(from_k: float, to_k: float) -> float:
    step_k = to_k - from_k
    return _WARMING_S_PER_K * step_k if step_k > 0 else -_COOLING_S_PER_K * step_k
