"""Names of a camera's parameters in files: snake case with the unit."""

import re
from collections.abc import Mapping
from typing import Any, cast

__all__ = ["snapshot_of"]

_UNITS = {
    "Exposure Time": "ms",
    "Shutter Opening Delay": "ms",
    "Shutter Closing Delay": "ms",
    "Readout Time Calculation": "ms",
    "Readout Rate Calculation": "hz",
    "Online Readout Rate Calculation": "hz",
    "Frame Rate Calculation": "hz",
    "ADC Speed": "mhz",
    "ADC Bit Depth": "bit",
    "Pixel Bit Depth": "bit",
    "Time Stamp Bit Depth": "bit",
    "Frame Tracking Bit Depth": "bit",
    "Time Stamp Resolution": "hz",
    "Vertical Shift Rate": "us",
    "Pixel Width": "um",
    "Pixel Height": "um",
    "Pixel Gap Width": "um",
    "Pixel Gap Height": "um",
    "Frame Size": "byte",
    "Frame Stride": "byte",
    "Readout Stride": "byte",
    "Sensor Temperature Set Point": "c",
    "Sensor Temperature Reading": "c",
}
"""Units of the PICam manual; what is not here is a number without unit, or pixels."""


def snapshot_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as plain JSON values.

    Args:
        values: By the library's words; regions as tuples x, width, x binning, y, height, y binning
            (pixels).
    """
    return {_key(words): _plain(value) for words, value in values.items()}


def _key(words: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return f"{name}_{_UNITS[words]}" if words in _UNITS else name


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(part) for part in cast(list[Any], value)]
    return value
