"""Nothing outside the limits ever passes, and nothing is clipped."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_lab import FakeCryostat, FakeSpectrograph
from labctl.clock import VirtualClock
from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import Limits

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
LIMITS = Limits(3.2, 320.0)


@given(NUMBERS | st.floats(3.0, 3.4) | st.floats(319.0, 321.0))
def test_only_what_lies_within_the_limits_of_the_set_up_is_sent(kelvin: float) -> None:
    cryostat = FakeCryostat(VirtualClock(), limits={"temperature": LIMITS})
    if LIMITS.low <= kelvin <= LIMITS.high:
        cryostat.start_temperature(kelvin)
        assert cryostat.target == kelvin
    else:
        with pytest.raises(RefusedError, match="cryostat: temperature"):
            cryostat.start_temperature(kelvin)
        assert cryostat.diary == []


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), NUMBERS)
def test_a_set_up_narrows_the_limits_of_the_role_and_never_widens_them(
    low: float, high: float, value: float
) -> None:
    cryostat = FakeCryostat(VirtualClock(), limits={"temperature": Limits(low, high)})
    allowed = max(low, 2.0) <= value <= min(high, 350.0)
    if allowed:
        cryostat.check("temperature", value)
    else:
        with pytest.raises(RefusedError):
            cryostat.check("temperature", value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_in_words(value: float) -> None:
    with pytest.raises(RefusedError, match="is not a number"):
        FakeSpectrograph(VirtualClock()).start_wavelength(value)


def test_a_notebook_shows_what_can_be_set_and_how() -> None:
    cryostat = FakeCryostat(VirtualClock(), limits={"temperature": LIMITS})
    assert "set cryostat.temperature: 3.2 to 320 K" in repr(cryostat)
    for name, says in (
        ("set_temperature", r"use lab\.set\('cryostat\.temperature', value\)"),
        ("colour", "has no attribute 'colour'"),
    ):
        with pytest.raises(AttributeError, match=says):
            getattr(cryostat, name)


def test_the_limits_themselves_are_allowed_and_named_in_the_refusal() -> None:
    cryostat = FakeCryostat(VirtualClock(), limits={"temperature": LIMITS})
    cryostat.start_temperature(LIMITS.low)
    cryostat.start_temperature(LIMITS.high)
    with pytest.raises(RefusedError, match=r"out of range \(allowed: 3.2 to 320 K\)"):
        cryostat.start_temperature(math.nextafter(LIMITS.high, math.inf))


def test_a_read_back_elsewhere_is_a_refusal_even_if_it_is_nan() -> None:
    spectrograph = FakeSpectrograph(VirtualClock())
    settable = spectrograph.settable("wavelength")
    spectrograph.wavelength = 600.01
    assert settable.confirm(600.0) == 600.01
    for wrong in (600.05, math.nan):
        spectrograph.wavelength = wrong
        with pytest.raises(DeviceRefusedError, match=r"spectrograph\.wavelength = 600 nm"):
            settable.confirm(600.0)


def test_unknown_names_are_refused_with_what_there_is() -> None:
    spectrograph = FakeSpectrograph(VirtualClock())
    with pytest.raises(RefusedError, match="settables: wavelength"):
        spectrograph.settable("focus")
    with pytest.raises(RefusedError, match="readings: wavelength, grating"):
        spectrograph.read("focus")
    with pytest.raises(RefusedError, match="actions: none"):
        spectrograph.make_safe("close")
