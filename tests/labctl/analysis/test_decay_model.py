"""Convolution and cascade against integrals and closed forms that share nothing with them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from labctl.analysis._decay_cascade import cascade_areas, excitation_weights
from labctl.analysis._decay_model import FED, MONO, TWO, Grid, Shape, cascade_shape
from labctl.analysis._decay_noise import sharpened
from labctl.analysis._decay_stretched import STRETCHED
from labctl.analysis._likelihood_kernels import fill_logs

Vector = NDArray[np.float64]

BIN_PS = 8.0
RESPONSE = np.array([0.1, 0.5, 0.3, 0.1])
SHAPES: list[tuple[Shape, list[float]]] = [
    (MONO, [150.0]),
    (TWO, [400.0, 0.2, 0.6]),
    (FED, [300.0, 0.3, 0.5]),
    (cascade_shape(2.0), [180.0, 1.5, 0.02, 0.0]),
    (cascade_shape(2.0), [180.0, 3.0, 0.02, 0.7]),
    (cascade_shape(2.5), [180.0, 8.0, 0.01, 0.0]),
    (STRETCHED, [150.0, 0.7]),
]


def grid(first_bin: int = 0, bins: int = 400, period_ps: float = math.inf) -> Grid:
    return Grid(RESPONSE, 20, first_bin, bins, BIN_PS, period_ps)


def integrated(tau_ps: float, until_ps: Vector) -> Vector:
    """Unit decay, integrated twice."""
    t = np.maximum(until_ps, 0.0)
    return t - tau_ps * (1.0 - np.exp(-t / tau_ps))


def brute_force(tau_ps: float, shift_ps: float, period_ps: float, bins: int) -> Vector:
    total = np.zeros(bins)
    for pulse in range(1 if math.isinf(period_ps) else 40):
        for place, share in enumerate(RESPONSE):
            late = (np.arange(bins, dtype=np.float64) - 20 - place) * BIN_PS - shift_ps
            late += pulse * period_ps if pulse else 0.0
            ends = [integrated(tau_ps, late + step * BIN_PS) for step in (1, 0, -1)]
            total += share * (ends[0] - 2 * ends[1] + ends[2]) / BIN_PS
    return total


@given(
    tau_ps=st.floats(2.0, 3000.0),
    shift_ps=st.floats(-40.0, 40.0),
    period_ps=st.sampled_from([math.inf, 3200.0, 3333.3, 5000.0]),
)
@settings(max_examples=60, deadline=None)
def test_the_recursion_is_the_sum_over_all_pulses(
    tau_ps: float, shift_ps: float, period_ps: float
) -> None:
    found = MONO.convolve(grid(period_ps=period_ps), np.array([tau_ps]), shift_ps)[0]
    # 40 pulses of at least 3.2 ns: what is left of older ones is below exp(-40).
    assert found == pytest.approx(brute_force(tau_ps, shift_ps, period_ps, 400), abs=1e-9)


@pytest.mark.parametrize(("shape", "values"), SHAPES)
@pytest.mark.parametrize("period_ps", [math.inf, 3300.0])
def test_the_derivatives(shape: Shape, values: list[float], period_ps: float) -> None:
    parameters, where = np.array(values), grid(period_ps=period_ps)
    unit = shape.convolve(where, parameters, 3.0)
    ends = [shape.convolve(where, parameters, 3.0 + step)[0] for step in (-1e-4, 1e-4)]
    assert unit[1] == pytest.approx((ends[1] - ends[0]) / 2e-4, abs=1e-8)
    for place in range(len(parameters)):
        step = np.zeros(len(parameters))
        step[place] = 1e-5 * max(parameters[place], 0.1)
        ends = [shape.convolve(where, parameters + s * step, 3.0)[0] for s in (-1, 1)]
        slope = (ends[1] - ends[0]) / (2 * step[place])
        assert unit[2 + place] == pytest.approx(slope, abs=1e-4 * abs(slope).max())


@pytest.mark.parametrize(("shape", "values"), SHAPES)
def test_a_window_is_part_of_the_whole(shape: Shape, values: list[float]) -> None:
    whole = shape.convolve(grid(period_ps=3300.0), np.array(values), -5.0)
    part = shape.convolve(grid(10, 200, 3300.0), np.array(values), -5.0)
    assert part == pytest.approx(whole[:, 10:210], abs=1e-9)


@pytest.mark.parametrize(("shape", "values"), SHAPES)
def test_a_whole_period_holds_all_the_light(shape: Shape, values: list[float]) -> None:
    counts = shape.convolve(grid(period_ps=3200.0), np.array(values), 0.0)[0]
    light = 1.0
    if shape.name == "cascade":
        _, mean, leak, auger = values
        light = sum(cascade_areas(mean, leak, 2.0, auger)[0])
    assert counts.sum() == pytest.approx(light, rel=2e-7)


@pytest.mark.parametrize(("shape", "values"), SHAPES)
def test_the_density_belongs_to_the_counts(shape: Shape, values: list[float]) -> None:
    """Far behind the response the counts are the density, widened over two bins."""
    parameters = np.array(values)
    narrow = Grid(np.ones(1), 0, 0, 200, BIN_PS, math.inf)
    counts = shape.convolve(narrow, parameters, 0.0)[0]
    delays = np.arange(100, 200, dtype=np.float64) * BIN_PS
    assert counts[100:] == pytest.approx(BIN_PS * shape.density(parameters, delays), rel=2e-3)


@pytest.mark.parametrize(("shape", "values"), SHAPES)
@pytest.mark.parametrize("where", [grid(), grid(period_ps=3300.0), grid(30, 300, 3300.0)])
def test_correlation_is_the_transpose_of_convolution(
    shape: Shape, values: list[float], where: Grid
) -> None:
    parameters = np.array(values)
    rows = np.random.default_rng(0).normal(size=(3, where.bins))
    found = shape.correlate(where, parameters, 3.0, rows)
    for place in range(len(RESPONSE)):
        alone = replace(where, response=np.eye(len(RESPONSE))[place])
        counts = shape.convolve(alone, parameters, 3.0)[0]
        assert found[:, place] == pytest.approx(rows @ counts, abs=1e-12)


@pytest.mark.parametrize(("shape", "values"), SHAPES)
def test_the_fall_is_that_of_the_density(shape: Shape, values: list[float]) -> None:
    """On a grid of a thousandth of the first time."""
    parameters = np.array(values)
    delays = np.arange(5000) * 1e-3 * parameters[0]
    density = shape.density(parameters, delays)
    peak = int(np.argmax(density))
    fallen = peak + int(np.flatnonzero(density[peak:] < density[peak] / math.e)[0])
    assert shape.fall_ps(parameters) == pytest.approx(
        delays[fallen] - delays[peak], abs=2e-3 * parameters[0]
    )


def test_the_fall_of_a_fed_level_has_its_maximum_in_closed_form() -> None:
    """Of what is fed alone: at ``ln(tau / tau_f) / (1 / tau_f - 1 / tau)``."""
    tau_ps, ratio = 300.0, 0.3
    parameters = np.array([tau_ps, ratio, 1.0])
    peak_ps = math.log(1 / ratio) / (1 / (ratio * tau_ps) - 1 / tau_ps)
    ends = np.array([peak_ps, peak_ps + FED.fall_ps(parameters)])
    highest, fallen = FED.density(parameters, ends)
    assert fallen / highest == pytest.approx(math.exp(-1.0), rel=1e-12)


@given(values=st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=9))
def test_logarithms(values: list[float]) -> None:
    logs = np.empty(len(values))
    fill_logs(np.array(values), logs)
    assert logs == pytest.approx([math.log(value) for value in values], rel=4e-16, abs=4e-16)


def test_the_cascade_is_a_chain_of_steps() -> None:
    """Against the rate equations of 30 levels, integrated in small steps."""
    mean, tau_ps, step_ps, leak = 2.0, 100.0, 0.01, 0.1
    numbers = np.arange(1, 31)
    rates = numbers**2 / tau_ps
    shares = mean**numbers / np.cumprod(numbers.astype(float)) / np.expm1(mean)
    population, found = shares.copy(), list[float]()
    for number in range(20_001):
        if number % 2000 == 0:
            found.append(float(rates[0] * population[0] + leak * (rates @ population)))
            found[-1] -= leak * float(rates[0] * population[0])
        middle = population + 0.5 * step_ps * change(population, rates)
        population = population + step_ps * change(middle, rates)
    delays = np.arange(11, dtype=np.float64) * 20.0
    law = cascade_shape(2.0).density(np.array([tau_ps, mean, leak, 0.0]), delays)
    # At 0 the series of levels ends at the fastest one that matters.
    assert law[1:] == pytest.approx(found[1:], rel=1e-4)


def change(population: Vector, rates: Vector) -> Vector:
    flow = rates * population
    return np.append(flow[1:], 0.0) - flow


def test_the_areas_of_the_levels_have_a_closed_form() -> None:
    """Of N excitations: 2 (-1)^(j - 1) N!^2 / ((N - j)! (N + j)!), mixed over N."""
    mean = 3.0
    areas = np.zeros(40)
    for n in range(1, 41):
        weight = mean**n / math.factorial(n) / math.expm1(mean)
        for j in range(1, n + 1):
            top, bottom = math.factorial(n) ** 2, math.factorial(n - j) * math.factorial(n + j)
            areas[j - 1] += weight * 2.0 * (-1.0) ** (j - 1) * top / bottom
    assert cascade_areas(mean, 0.0, 2.0)[0] == pytest.approx(areas, abs=1e-12)


@given(mean=st.floats(-0.5, 15.0))
@settings(max_examples=50, deadline=None)
def test_the_weights_of_excitations(mean: float) -> None:
    weights, slopes = excitation_weights(mean)
    # Beyond 40 there are 2.3e-8 of a Poissonian of 15.
    assert weights.sum() == pytest.approx(1.0, abs=3e-8)
    numbers = np.arange(1, 41)
    if mean > 1e-2:
        assert weights @ numbers == pytest.approx(mean / -math.expm1(-mean), rel=1e-6)
    ends = [excitation_weights(mean + step)[0] for step in (-1e-5, 1e-5)]
    assert slopes == pytest.approx((ends[1] - ends[0]) / 2e-5, abs=1e-6)


def test_sharpening_takes_out_what_two_boxes_put_in() -> None:
    light = np.array([0.0, 1.0, 5.0, 9.0, 4.0, 1.0, 0.0])
    found = sharpened(light)
    places = np.arange(len(light))
    wide = np.arange(-1, len(light) + 1)
    assert found.sum() == pytest.approx(light.sum())
    assert found @ wide == pytest.approx(light @ places)
    assert light @ places**2 - found @ wide**2 == pytest.approx(light.sum() / 6.0)


def test_excitations_above_two_can_be_lost() -> None:
    """Then the exciton is alone or fed once: areas 4/3 and -1/3 for the share with two."""
    mean = 2.5
    alone = mean / math.expm1(mean)
    expected = np.zeros(40)
    expected[:2] = [alone + 4.0 / 3.0 * (1.0 - alone), -(1.0 - alone) / 3.0]
    assert cascade_areas(mean, 0.0, 2.0, 1.0)[0] == pytest.approx(expected, abs=1e-12)
