"""Photons of the simulated world's light on two detectors, as a block of T3 photons."""

import numpy as np
from numpy.typing import NDArray

from labctl.photons import PhotonBlock
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

PERIOD_PS = 100_000
APD = Timing(50.0 / 2.3548, 60.0, 0.1, 0.0)


def detected(model: PulseModel, seed: int, duration_s: float, bin_ps: int = 64) -> PhotonBlock:
    """Two real detectors at 10 MHz: darks, afterpulses, dead time, cross-talk after 20 ns."""
    key = np.array([seed, 1], np.uint64)

    def generator(_name: str) -> np.random.Generator:
        return np.random.default_rng(seed)

    chance = Chance(key, generator, _no_blinking)
    stream = PhotonStream(grid_of(1e7), _responses(), chance, Timeline(0.0, 1.0), 0.0)
    stream.note(0.0, Light({"dot": Source((model,))}, (50.0, 50.0), (APD, APD)))
    return _block(stream.until(duration_s, end=True), round(duration_s * 1e7), bin_ps)


def _no_blinking(_name: str) -> Dwells | None:
    return None


def _responses() -> Responses:
    def both(value: float) -> NDArray[np.float64]:
        return np.full(2, value)

    def whole(value: int) -> NDArray[np.int64]:
        return np.full(2, value, np.int64)

    return Responses(
        dead_ps=whole(77_000),
        afterpulse_probability=both(0.01),
        afterpulse_ps=both(30e3),
        crosstalk_probability=both(1e-4),
        crosstalk_ps=whole(20_000),
        shift_ps=whole(3000),
        module_dead_ps=whole(0),
        alive=np.ones(2, np.bool_),
    )


def _block(events: NDArray[np.int64], pulses: int, bin_ps: int) -> PhotonBlock:
    times_ps = events >> 3
    block = PhotonBlock(
        records=np.zeros(0, np.uint32),
        time_ticks=times_ps // PERIOD_PS,
        channel=(events & 7).astype(np.uint8),
        delay_bins=(times_ps % PERIOD_PS // bin_ps).astype(np.uint16),
        marker_ticks=np.zeros(0, np.int64),
        marker_bits=np.zeros(0, np.uint8),
        begin_tick=0,
        end_tick=pulses,
        overflow_records=0,
        overflows=0,
        invalid_records=0,
    )
    return block.copy()
