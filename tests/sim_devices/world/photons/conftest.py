"""Streams without a world: a light that never changes on ideal detectors."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from labctl_sim.world._table import Timeline
from labctl_sim.world.photons import (
    Chance,
    Dwells,
    Light,
    PhotonStream,
    PulseModel,
    Responses,
    Source,
    Timing,
    grid_of,
)

SHARP = Timing(0.0, 0.0, 0.0, 0.0)


def ideal(count: int, **changes: Any) -> Responses:
    """Detectors without any fault; ``changes`` gives one value for all of them."""
    plain: dict[str, Any] = {
        "dead_ps": 0,
        "afterpulse_probability": 0.0,
        "afterpulse_ps": 1e4,
        "crosstalk_probability": 0.0,
        "crosstalk_ps": 0,
        "shift_ps": 0,
        "module_dead_ps": 0,
        "alive": True,
    }
    plain |= changes
    whole = {"dead_ps", "crosstalk_ps", "shift_ps", "module_dead_ps"}
    arrays = {
        key: np.full(count, value, dtype=np.int64 if key in whole else None)
        for key, value in plain.items()
    }
    arrays["afterpulse_ps"] = arrays["afterpulse_ps"].astype(np.float64)
    return Responses(**arrays)


def no_blinking(_name: str) -> Dwells | None:
    return None


@pytest.fixture
def make_stream() -> Callable[..., PhotonStream]:
    def make(
        models: Sequence[PulseModel],
        *,
        seed: int = 0,
        rep_rate_hz: float = 1e7,
        steady_hz: Sequence[float] = (0.0, 0.0),
        timing: Timing = SHARP,
        lit: Timeline | None = None,
        blinking: Callable[[str], Dwells | None] = no_blinking,
        charged: float = 0.0,
        **changes: Any,
    ) -> PhotonStream:
        def generator(_name: str) -> np.random.Generator:
            return np.random.default_rng(seed)

        count = len(steady_hz)
        key = np.array([seed, 1], dtype=np.uint64)
        stream = PhotonStream(
            grid_of(rep_rate_hz),
            ideal(count, **changes),
            Chance(key, generator, blinking),
            lit or Timeline(0.0, 1.0),
            0.0,
        )
        sources = {"dot": Source(tuple(models), None, charged)} if models else {}
        stream.note(0.0, Light(sources, tuple(steady_hz), (timing,) * count))
        return stream

    return make
