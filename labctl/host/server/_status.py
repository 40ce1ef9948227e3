"""What a panel shows of an instrument: what it can do, once, and how it stands, again and again.

Everything here is called on the instrument's own thread and asks only what returns at once.
"""

from collections.abc import Callable
from typing import Any

from labctl.errors import LabctlError, RefusedError
from labctl.host.server._switches import switches
from labctl.roles import Instrument, Positioner, Spectrograph, Thermostat

__all__ = ["describe", "set_points", "status"]


def describe(instrument: Instrument) -> dict[str, Any]:
    """Return what there is to set and to read, as plain JSON values.

    What the unit at hand does not have (a slit without motor, an axis that is not there) is left
    out, by trying to read it.
    """
    return {
        "name": instrument.name,
        "role": instrument.role,
        "settables": {
            name: _settable(instrument, name)
            for name in instrument.settables
            if _readable(instrument, name)
        },
        "readables": {
            name: unit for name, unit in instrument.readables.items() if _readable(instrument, name)
        },
        "switches": {
            name: {"choices": list(switch.choices), "light": switch.light}
            for name, switch in switches(instrument).items()
        },
        "actions": list(instrument.safe_actions),
        "axes": list(instrument.axes()) if isinstance(instrument, Positioner) else [],
    }


def status(instrument: Instrument, described: dict[str, Any]) -> dict[str, Any]:
    """Return readings, switches, state and what is wrong, as plain JSON values.

    Raises:
        LabctlError: The instrument does not answer.
    """
    found: dict[str, Any] = {
        "read": {name: instrument.read(name) for name in described["readables"]},
        "switches": {name: switch.read() for name, switch in switches(instrument).items()},
        "busy": _busy(instrument),
        "tripped": getattr(instrument, "tripped", ""),
        "set": set_points(instrument),
        "alarm": instrument.alarm() if isinstance(instrument, Thermostat) else "",
    }
    if not (found["read"] or found["switches"]):
        # Of an instrument of which nothing is read, only this tells that it has gone.
        instrument.identity()
    return found


def set_points(instrument: Instrument) -> dict[str, float]:
    """Return what an instrument holds that is reached only later, by quantity."""
    return {"temperature": instrument.set_point_k()} if isinstance(instrument, Thermostat) else {}


def _settable(instrument: Instrument, name: str) -> dict[str, Any]:
    spec, limits = instrument.settables[name], instrument.limits(name)
    return {
        "unit": spec.unit,
        "low": limits.low,
        "high": limits.high,
        "tolerance": spec.tolerance,
        "settles": spec.settles,
        "timeout_s": spec.timeout_s,
    }


def _readable(instrument: Instrument, name: str) -> bool:
    try:
        instrument.read(name)
    except RefusedError:
        return False
    # It is there and does not answer now; that is told with every reading.
    except LabctlError:
        return True
    return True


def _busy(instrument: Instrument) -> bool:
    if isinstance(instrument, Spectrograph):
        return instrument.is_moving()
    if isinstance(instrument, Positioner):
        return any(instrument.is_moving(axis) for axis in instrument.axes())
    moving: Callable[[], bool] | None = getattr(instrument, "is_moving", None)
    return bool(moving()) if moving is not None else False
