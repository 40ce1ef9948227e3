"""Power, fluence, their errors, and the measured curve of an attenuator."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.optics import Excitation, PowerCurve, peak_fluence_uj_cm2

# 0.85 uJ/cm2 in a spot of 2.4 um are 19.2 fJ a pulse, 0.19 uW at 10 MHz (Zhu 2024).
EXCITATION = Excitation(1e7, 2.4, 0.05)
CURVE = PowerCurve((0.01, 0.1, 1.0), (0.9e-8, 1.0e-7, 1.1e-6), 0.058)


def test_power_and_fluence_of_the_paper() -> None:
    assert EXCITATION.power_w(0.85) == pytest.approx(0.192e-6, rel=2e-3)
    assert EXCITATION.fluence_uj_cm2(0.192e-6) == pytest.approx(
        peak_fluence_uj_cm2(19.2e-15, 2.4), rel=1e-12
    )


def test_the_spot_enters_the_error_twice() -> None:
    assert EXCITATION.fluence_error_rel(0.0) == pytest.approx(0.1)
    assert EXCITATION.fluence_error_rel(0.1) == pytest.approx(math.hypot(0.1, 0.1))
    assert Excitation(1e7, 2.4).fluence_error_rel(0.1) is None


def test_the_curve_goes_through_its_marks_and_on_in_proportion() -> None:
    for mark, power_w in zip(CURVE.transmissions, CURVE.powers_w, strict=True):
        assert CURVE.power_w(mark) == pytest.approx(power_w)
        assert CURVE.transmission(power_w) == pytest.approx(mark)
    assert CURVE.power_w(0.001) == pytest.approx(0.9e-9)
    assert CURVE.power_w(0.0) == 0.0
    assert CURVE.transmission(0.0) == 0.0


@given(st.floats(1e-6, 1.0))
def test_the_curve_and_its_inverse_agree(mark: float) -> None:
    assert CURVE.transmission(CURVE.power_w(mark)) == pytest.approx(mark, rel=1e-9)


def test_more_than_there_is_cannot_be_set() -> None:
    with pytest.raises(ValueError, match=r"fully open it is 1\.1e-06 W on the sample"):
        CURVE.transmission(1.2e-6)


@pytest.mark.parametrize(
    ("marks", "powers_w"),
    [
        ((0.1, 1.0), (1e-7,)),
        ((1.0,), (1e-6,)),
        ((0.1, 1.0), (1e-6, 1e-7)),
        ((1.0, 0.1), (1e-7, 1e-6)),
        ((0.0, 1.0), (1e-7, 1e-6)),
        ((0.1, 1.0), (math.nan, 1e-6)),
    ],
)
def test_what_is_no_curve_is_refused(marks: tuple[float, ...], powers_w: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"needs a power|do not rise"):
        PowerCurve(marks, powers_w, 0.1)
