"""What both stages are tested with."""

from collections.abc import Callable
from typing import Any

import pytest

from labctl.roles import AxisSettings, Positioner

AXIS: dict[str, Any] = {
    "step_voltage": "60 V",
    "step_frequency": "1000 Hz",
    "step_up": "0.07 um",
    "step_down": "0.07 um",
    "fine_range": "1.6 um",
}


@pytest.fixture
def axes() -> Callable[..., dict[str, AxisSettings]]:
    """Make the block ``axes`` of a set-up, numbered from ``first``."""

    def make(first: int, **more: Any) -> dict[str, AxisSettings]:
        return {n: AxisSettings(number=i, **{**AXIS, **more}) for i, n in enumerate("xyz", first)}

    return make


@pytest.fixture
def go() -> Callable[..., float]:
    """Bring a settable to a value as a session does."""

    def move(stage: Positioner, clock: Any, quantity: str, value: float) -> float:
        settable = stage.settable(quantity)
        settable.start(value)
        timeout_s = settable.spec.timeout_s
        what = f"{settable.name} to arrive"
        assert clock.wait_until(settable.arrived, deadline_s=clock.now() + timeout_s, what=what)
        return settable.confirm(value)

    return move
