"""Values with errors that may differ to the two sides."""

import pytest

from labctl.analysis import Measured


def test_equal_sides() -> None:
    found = Measured(5.0, 0.5)
    assert found.pull(4.0) == 2.0
    assert found.pull(6.0) == -2.0
    assert found.covers(4.5, 1.0)
    assert found.scaled(-2.0) == Measured(-10.0, 1.0)
    assert found.plus_systematic(1.2) == Measured(5.0, 1.3)


def test_each_side_has_its_error() -> None:
    found = Measured(5.0, 0.5, down=0.25, up=1.0)
    assert found.pull(4.0) == 4.0
    assert found.pull(6.0) == -1.0
    assert found.covers(6.0, 1.0)
    assert not found.covers(4.0, 3.0)


def test_a_negative_factor_changes_the_sides() -> None:
    found = Measured(5.0, 0.5, down=0.25, up=1.0)
    assert found.scaled(2.0) == Measured(10.0, 1.0, down=0.5, up=2.0)
    assert found.scaled(-2.0) == Measured(-10.0, 1.0, down=2.0, up=0.5)


def test_a_systematic_error_widens_both_sides() -> None:
    found = Measured(5.0, 0.5, down=0.3, up=1.2).plus_systematic(0.4)
    assert (found.down, found.up) == pytest.approx((0.5, 1.2649), rel=1e-4)
