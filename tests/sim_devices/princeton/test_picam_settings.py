"""Constraints, commit and timing of the simulated camera."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.libraries import VendorError
from labctl_sim.princeton import _picam_parameters as p
from labctl_sim.princeton._picam_constraints import Range, Regions
from labctl_sim.princeton._picam_sensor import sensor_from
from labctl_sim.princeton._picam_settings import Settings

SENSOR = sensor_from({}, {})


@given(st.floats(0.0, 1e7))
def test_exposures_fall_on_the_nearest_step(value: float) -> None:
    accepted = Range(0.0, 1e7, 0.001).nearest(value)
    assert accepted is not None
    assert abs(accepted - value) <= 0.0005 * (1 + 1e-6)


@given(st.floats(allow_nan=True, allow_infinity=True).filter(lambda v: not 1 <= v <= 1000))
def test_values_outside_a_range_are_not_accepted(value: float) -> None:
    assert Range(1, 1000, 1).nearest(value) is None


@given(
    st.tuples(
        st.integers(-2, 1601), st.integers(-1, 1602), st.integers(0, 4),
        st.integers(-2, 201), st.integers(-1, 202), st.integers(0, 4),
    )
)  # fmt: skip
def test_regions_lie_on_the_sensor(region: tuple[int, int, int, int, int, int]) -> None:
    x, width, x_binning, y, height, y_binning = region
    columns, rows = range(1600), range(200)
    inside = x in columns and x + width - 1 in columns and y in rows and y + height - 1 in rows
    positive = min(width, height, x_binning, y_binning) > 0
    assert Regions(1600, 200).holds(region) == (inside and positive)


def test_every_parameter_has_a_start_value_and_a_constraint_that_holds_it() -> None:
    settings = Settings(SENSOR)
    for parameter in p.PARAMETERS:
        if parameter.readable:
            continue
        assert settings.get(parameter) is not None
        if parameter.writable:
            settings.set(parameter, settings.default(parameter))
    assert settings.committed
    assert settings.invalid() == []


def test_identifiers_encode_the_types() -> None:
    assert p.EXPOSURE_TIME.id == 0x02020017
    assert p.ROIS.id == 0x04050025
    assert len(p.BY_ID) == len(p.PARAMETERS)


def test_quality_decides_on_speed_and_gain() -> None:
    settings = Settings(SENSOR)
    settings.set(p.ADC_SPEED, 10.0)
    assert settings.invalid() == [p.ADC_SPEED]
    settings.set(p.ADC_EM_GAIN, 500)
    assert not settings.relevant(p.ADC_EM_GAIN)
    settings.set(p.ADC_QUALITY, 3)
    assert settings.relevant(p.ADC_EM_GAIN)
    assert settings.invalid() == []
    settings.commit()
    with pytest.raises(VendorError):
        settings.set_online(p.ADC_EM_GAIN, 2000)
    assert settings.number(p.ADC_EM_GAIN) == 500


def test_misaligned_binning_is_accepted_and_refused_at_the_commit() -> None:
    settings = Settings(SENSOR)
    settings.set(p.ROIS, (0, 1600, 3, 0, 200, 1))
    assert settings.invalid() == [p.ROIS]


@pytest.mark.parametrize(
    ("region", "speed_mhz", "readout_ms"),
    [
        ((0, 1600, 1, 0, 200, 200), 1.0, 1.0 + 1.640),
        ((0, 1600, 1, 0, 200, 1), 1.0, 1.0 + 200 * 1.640),
        ((0, 800, 2, 50, 100, 10), 0.1, 1.0 + 10 * 16.40),
    ],
)
def test_readout_time(
    region: tuple[int, int, int, int, int, int], speed_mhz: float, readout_ms: float
) -> None:
    settings = Settings(SENSOR)
    settings.set(p.ROIS, region)
    settings.set(p.ADC_SPEED, speed_mhz)
    assert settings.timing().readout_s * 1e3 == pytest.approx(readout_ms)
    settings.set(p.SHUTTER_CLOSING_DELAY, 8.0)
    assert settings.timing().readout_s * 1e3 == pytest.approx(readout_ms + 8.0)
    settings.set(p.SHUTTER_TIMING_MODE, 3)
    assert settings.timing().readout_s * 1e3 == pytest.approx(readout_ms)


def test_format_of_a_frame() -> None:
    settings = Settings(SENSOR)
    settings.set(p.ROIS, (0, 1600, 2, 0, 200, 100))
    assert (settings.shape(), settings.frame_bytes()) == ((2, 800), 3200)
    settings.set(p.TIME_STAMPS, 3)
    settings.set(p.TRACK_FRAMES, 1)
    assert settings.frame_bytes() == 3224
    settings.restore_defaults()
    assert settings.frame_bytes() == 640_000


def test_sensor_from_settings_and_truth() -> None:
    four = sensor_from({"model": "ProEM: 1600xx(4)B", "serial": "7"}, {"coldest_c": -60.0})
    assert (four.model, four.rows, four.serial, four.coldest_c) == (213, 400, "7", -60.0)
    assert sensor_from({"columns": 512}, {"columns": 1024, "rows": 100}).columns == 512
