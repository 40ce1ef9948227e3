"""What is fixed about a simulated ProEM: model, sensor format, margins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Sensor", "sensor_from"]


@dataclass(frozen=True)
class Sensor:
    """Model and format of the sensor.

    Attributes:
        model: The library's model number.
        serial: Serial number.
        name: Name of the sensor.
        columns: Active columns.
        rows: Active rows.
        pixel_um: Pixel pitch.
        left_margin: Columns that the serial register holds before the active ones.
        right_margin: Columns behind the active ones.
        coldest_c: Lowest set point of the cooler.
        set_point_c: Set point when nobody has changed it.
    """

    model: int
    serial: str
    name: str
    columns: int
    rows: int
    pixel_um: float
    left_margin: int = 28
    right_margin: int = 12
    coldest_c: float = -80.0
    set_point_c: float = -70.0


_MODELS = {
    "ProEM: 1600xx(2)B": (212, 200),
    "ProEM: 1600xx(2)B eXcelon": (210, 200),
    "ProEM: 1600xx(4)B": (213, 400),
    "ProEM: 1600xx(4)B eXcelon": (211, 400),
    "ProEM+: 1600xx(2)B": (612, 200),
    "ProEM+: 1600xx(2)B eXcelon": (610, 200),
    "ProEM+: 1600xx(4)B": (613, 400),
    "ProEM+: 1600xx(4)B eXcelon": (611, 400),
}


def sensor_from(settings: Mapping[str, Any], truth: Mapping[str, Any]) -> Sensor:
    """Read the sensor out of an instrument's settings, else out of the truth.

    Args:
        settings: ``model`` (the library's words), ``serial``, ``columns``, ``rows``,
            ``pixel_pitch_um``; absent or empty ones are those of a ProEM 1600x200.
        truth: ``columns``, ``rows``, ``pixel_um``, ``coldest_c``, ``sensor_target_c``.

    Raises:
        ValueError: The model is not one that is simulated.
    """
    model = str(settings.get("model") or "ProEM: 1600xx(2)B eXcelon")
    if model not in _MODELS:
        raise ValueError(f"model {model!r} is not simulated; known: {', '.join(_MODELS)}")
    number, model_rows = _MODELS[model]
    columns = int(settings.get("columns") or truth.get("columns", 1600))
    rows = int(settings.get("rows") or truth.get("rows", model_rows))
    return Sensor(
        model=number,
        serial=str(settings.get("serial") or "0512160012"),
        name=f"E2V {columns} x {rows} (CCD){'(eXcelon)' if 'eXcelon' in model else ''}",
        columns=columns,
        rows=rows,
        pixel_um=float(settings.get("pixel_pitch_um") or truth.get("pixel_um", 16.0)),
        coldest_c=float(truth.get("coldest_c", -80.0)),
        set_point_c=float(truth.get("sensor_target_c", -70.0)),
    )
