"""Durations and times in the words of a lab book."""

from datetime import datetime, timedelta

from labctl.clock import RealClock

__all__ = ["at_time", "duration", "local_now"]

_clock = RealClock()


def local_now() -> datetime:
    """Return the time of day where the user is."""
    return _clock.utc().astimezone()


def duration(seconds: float) -> str:
    """Return ``2 h 58 min``, ``4 min 10 s`` or ``3.2 s``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest_s = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest_s} s"
    return f"{minutes // 60} h {minutes % 60} min"


def at_time(now: datetime, seconds: float) -> str:
    """Return the time of day in so many seconds, with the day if that is another one."""
    then = now + timedelta(seconds=seconds)
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%a %H:%M}"
