"""The learned drift: between entries, beyond them, replaced, and written down."""

import numpy as np
import pytest

from labctl.analysis import DriftTable


def table() -> DriftTable:
    found = DriftTable()
    for kelvin, um in ((45.0, 3.0), (4.0, 0.0), (30.0, 1.0)):
        found = found.learn(kelvin, um * np.array([1.0, -0.5, 2.0]))
    return found


def test_an_empty_table_expects_nothing() -> None:
    assert DriftTable().at(77.0).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("kelvin", "um"),
    [(4.0, 0.0), (17.0, 0.5), (30.0, 1.0), (37.5, 2.0), (60.0, 5.0), (0.0, -4 / 26)],
)
def test_straight_lines_lead_between_and_beyond(kelvin: float, um: float) -> None:
    assert table().at(kelvin) == pytest.approx(um * np.array([1.0, -0.5, 2.0]))


def test_one_temperature_tells_no_slope() -> None:
    found = DriftTable().learn(4.0, np.ones(3)).learn(6.0, 2 * np.ones(3))
    assert found.at(50.0).tolist() == [2.0, 2.0, 2.0]


def test_a_new_entry_replaces_the_one_at_its_temperature() -> None:
    found = table().learn(30.4, np.array([9.0, 9.0, 9.0]))
    assert found.temperature_k == (4.0, 30.4, 45.0)
    assert found.at(30.4).tolist() == [9.0, 9.0, 9.0]


def test_it_is_read_as_it_was_written() -> None:
    assert DriftTable.from_record(table().to_record()) == table()
