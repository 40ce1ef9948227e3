"""ON fraction against lit time, from points of a run."""

from collections.abc import Sequence

import numpy as np
import pytest

from labctl.analysis import Measured
from labctl.results import StoredPhotons
from labctl.results._fading_results import fading_results

LIVE_S = 300.0


def point(number: int) -> StoredPhotons:
    return StoredPhotons(
        point=number, measurement="photons", label="", arrays={}, values={}, files=(),
        detectors=("apd_1",), temperature_k=None, temperature_set_k=None, fluence_uj_cm2=0.05,
        live_s=LIVE_S, irfs={}, warnings=(),
    )  # fmt: skip


def fractions(values: Sequence[float]) -> dict[int, Measured]:
    return {place: Measured(value, 1e-5) for place, value in enumerate(values)}


def test_points_without_a_fraction_are_lit_all_the_same() -> None:
    values = np.linspace(0.98, 0.94, 25)[1::2]
    known = fractions(values.tolist())
    del known[5]
    found = {one.quantity: one for one in fading_results([point(n) for n in range(12)], known)}
    assert {one.experiment for one in found.values()} == {"E14"}
    assert found["on_fraction_start"].value == pytest.approx(0.98)
    assert found["on_fraction_end"].value == pytest.approx(0.94)
    assert found["on_fraction_change"].value == pytest.approx(-0.04)
    assert found["on_fraction_change"].unit == "1/h"
    (table,) = found["on_fraction_end"].tables
    assert table.column("point") == (0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11)
    assert table.column("lit_begin")[5] == 6 * LIVE_S
    assert table.column("lit_end")[-1] == 3600.0


def test_a_dot_that_was_never_off_gives_no_number_but_the_reason() -> None:
    (found,) = fading_results([point(n) for n in range(6)], fractions([1.0] * 6))
    assert np.isnan(found.value)
    assert "never off" in found.warnings[0]
    assert len(found.tables[0].rows) == 6


def test_two_points_are_no_series() -> None:
    assert fading_results([point(0), point(1)], fractions([0.9, 0.8])) == []
