"""Numbers with units, durations and times in the words of a lab book."""

from datetime import datetime, timedelta
from typing import Any

from labctl.clock import RealClock

__all__ = ["at_time", "duration", "local_now", "number_in_words", "several", "unit_in_words"]

_clock = RealClock()
_PREFIXED = ("A", "Hz", "W")
"""Units of quantities that span many powers of ten; the others are read in one unit."""
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"))
_SPELLED = {"u": "µ", "degC": "°C", "deg": "°", "^2": "²"}


def number_in_words(value: Any, unit: str) -> str:
    """Return a reading as panels show it."""
    if not isinstance(value, int | float):
        return "–"
    if value != value:
        return "no reading"
    if unit in _PREFIXED and value:
        least = _PREFIXES[-1]
        factor, prefix = next((one for one in _PREFIXES if abs(value) >= one[0]), least)
        value, unit = value / factor, f"{prefix}{unit}"
    shown = unit_in_words(unit)
    return f"{value:.6g}{'' if shown == '°' else ' '}{shown}".rstrip()


def unit_in_words(unit: str) -> str:
    """Return a unit as it is printed: ``uJ/cm^2`` is µJ/cm²."""
    if unit.startswith("u"):
        unit = _SPELLED["u"] + unit[1:]
    return _SPELLED.get(unit, unit.replace("^2", _SPELLED["^2"]))


def several(number: int, what: str) -> str:
    """Return ``1 point``, ``2 points``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def local_now() -> datetime:
    """Return the time of day where the user is."""
    return _clock.utc().astimezone()


def duration(seconds: float) -> str:
    """Return ``2 h 58 min``, ``4 min 10 s`` or ``3.2 s``."""
    if seconds < 60:
        return f"{round(seconds, 1):g} s"
    minutes, rest_s = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest_s} s"
    return f"{minutes // 60} h {minutes % 60} min"


def at_time(now: datetime, seconds: float) -> str:
    """Return the time of day in so many seconds, with the day if that is another one."""
    then = now + timedelta(seconds=seconds)
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%a %H:%M}"
