"""Cell after cell of a photon stream: emission, detectors, module inputs.

A cell is a whole number of laser pulses that takes a whole number of ps. Every source draws from
random numbers of its own that begin anew with each cell, so that nothing depends on how many
cells somebody asks for at a time; what reaches beyond a cell waits for the next one.
"""

from typing import NamedTuple

from labctl_sim.world._types import FloatArray
from labctl_sim.world.photons._clicks import (
    Responses,
    Waiting,
    avalanches,
    register,
)
from labctl_sim.world.photons._emit import (
    FULL,
    Numbers,
    pulsed_light,
    steady_light,
)
from labctl_sim.world.photons._jit import inlined, jit
from labctl_sim.world.photons._models import ModelTable
from labctl_sim.world.photons._random import Words, seeded
from labctl_sim.world.photons._sorting import Times, copy_run, merge, sort_run

EARLY_PS = 20_000
"""Nothing comes earlier than this before its pulse."""
_REACTIONS = 1 << 20


class Grid(NamedTuple):
    """Pulses and cells."""

    period_fs: int
    pulses: int
    """Per cell; a multiple of 1000, so that a cell takes a whole number of ps."""
    length_ps: int
    """Of a cell."""


class Segments(NamedTuple):
    """When each source shines how; the segments of source k are offsets[k] to offsets[k + 1]."""

    offsets: Numbers
    starts: Numbers
    """First pulse of each segment; the first segment of a source begins at or before the batch."""
    models: Numbers
    """Row of the model table, or -1 for dark."""
    steady_offsets: Numbers
    steady_starts: Numbers
    steady_rates_hz: FloatArray
    """Steady source k belongs to detector k."""


class Buffers(NamedTuple):
    """Scratch space; ``held`` and ``shifted`` keep what waits for the next cell."""

    run: Times
    merged: Times
    held: Times
    fresh: Times
    shifted: Times
    sizes: Numbers
    """Filled lengths of ``held`` and ``shifted``."""


@inlined
def segment_at(starts: Numbers, begin: int, end: int, pulse: int) -> int:
    """The segment among ``begin`` to ``end`` in which a pulse lies."""
    index = begin
    while index + 1 < end and starts[index + 1] <= pulse:
        index += 1
    return index


@inlined
def collect(
    key: Words,
    cell: int,
    grid: Grid,
    table: ModelTable,
    delays: FloatArray,
    segments: Segments,
    buffers: Buffers,
) -> int:
    """Draw all sources of one cell and merge them with what waited in ``held``.

    Returns:
        Number of photons, now in ``merged``, or FULL; ``held`` is still untouched.
    """
    first, cell_ps = cell * grid.pulses, cell * grid.length_ps
    n = int(buffers.sizes[0])
    copy_run(buffers.held, 0, n, buffers.merged, 0)
    pulsed, steady = len(segments.offsets) - 1, len(segments.steady_offsets) - 1
    for source in range(pulsed + steady):
        state = seeded(key, cell, source)
        if source < pulsed:
            begin, end = segments.offsets[source], segments.offsets[source + 1]
            now = segment_at(segments.starts, begin, end, first)
            # Nothing is there yet but what waited: the first source needs no merging.
            keys = buffers.merged if source == 0 else buffers.run
            added = pulsed_light(
                state, table, delays, segments.starts, segments.models, now, end,
                first, grid.pulses, cell_ps, grid.period_fs, keys, n if source == 0 else 0,
            )  # fmt: skip
            if source == 0 and added != FULL:
                n = added
                sort_run(buffers.merged, 0, n)
                continue
        else:
            one = source - pulsed
            begin, end = segments.steady_offsets[one], segments.steady_offsets[one + 1]
            now = segment_at(segments.steady_starts, begin, end, first)
            added = steady_light(
                state, segments.steady_rates_hz, segments.steady_starts, now, end, one,
                cell_ps, grid.length_ps, first, grid.pulses, buffers.run,
            )  # fmt: skip
        if added == FULL or n + added > len(buffers.merged):
            return FULL
        if added > 0:
            sort_run(buffers.run, 0, added)
            merge(buffers.merged, n, buffers.run, added, buffers.fresh)
            n += added
            copy_run(buffers.fresh, 0, n, buffers.merged, 0)
    return n


@jit
def run_cells(
    key: Words,
    first: int,
    last: int,
    grid: Grid,
    table: ModelTable,
    delays: FloatArray,
    segments: Segments,
    responses: Responses,
    waiting: Waiting,
    buffers: Buffers,
    out: Times,
) -> tuple[int, int]:
    """Go through the cells ``first`` to ``last`` (not included) while there is room in ``out``.

    Returns:
        The next cell to do, and the number of events in ``out``: time in ps times 8 plus number
        of the detector, sorted.
    """
    n_out = 0
    earliest = responses.shift_ps[0]
    for shift_ps in responses.shift_ps:
        earliest = min(earliest, shift_ps)
    for cell in range(first, last):
        if n_out + len(buffers.shifted) > len(out):
            return cell, n_out
        n = collect(key, cell, grid, table, delays, segments, buffers)
        if n == FULL:
            return cell, n_out
        until_ps = (cell + 1) * grid.length_ps - EARLY_PS
        state = seeded(key, cell, _REACTIONS)
        used, end = avalanches(
            state, responses, waiting, buffers.merged, n, until_ps,
            buffers.shifted, int(buffers.sizes[1]),
        )  # fmt: skip
        copy_run(buffers.merged, used, n, buffers.held, 0)
        buffers.sizes[0] = n - used
        sort_run(buffers.shifted, 0, end)
        used, n_out = register(
            responses, waiting.module_busy_ps, buffers.shifted, end,
            until_ps + earliest, out, n_out,
        )  # fmt: skip
        copy_run(buffers.shifted, used, end, buffers.shifted, 0)
        buffers.sizes[1] = end - used
    return last, n_out
