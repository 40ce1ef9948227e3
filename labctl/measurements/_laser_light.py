"""The laser behind the light: switched on when light is needed, and what it says of itself."""

from dataclasses import replace

from labctl.errors import DeviceError
from labctl.measurements._context import Context
from labctl.measurements._optical_table import OpticalTable
from labctl.roles import Laser
from labctl.stations import Station

__all__ = ["as_the_laser_stands", "check_emitting", "excitation_laser", "let_emit"]

_BESIDE_PERCENT = 0.1


def excitation_laser(station: Station) -> Laser | None:
    """Return the laser of a set-up, None if a person looks after it.

    Raises:
        ConfigError: There are several, and none is called ``laser``.
    """
    if not any(isinstance(station[name], Laser) for name in station):
        return None
    return station.only(Laser, prefer="laser")


def as_the_laser_stands(table: OpticalTable, station: Station) -> OpticalTable:
    """Return the table with what the laser itself says: repetition rate, wavelength, intensity."""
    laser, facts = excitation_laser(station), table.laser
    if laser is None or facts is None:
        return table
    return replace(
        table,
        laser=replace(
            facts,
            wavelength_nm=laser.wavelength_nm() or facts.wavelength_nm,
            rep_rate_hz=laser.rep_rate_hz() or facts.rep_rate_hz,
            intensity_percent=laser.intensity_percent(),
        ),
    )


def let_emit(context: Context) -> None:
    """Switch the laser on, unless it is or there is none; the shutter stays as it is.

    It stays on for the points that follow: warming up would change its power.

    Raises:
        DeviceRefusedError: Its interlock is open, or it does not emit.
    """
    laser = excitation_laser(context.station)
    if laser is None:
        return
    if not laser.is_emitting():
        laser.set_emission(True)
        context.wait_until(
            laser.is_emitting, timeout_s=laser.emission_timeout_s, what=f"{laser.name} emission"
        )
    reference, present = laser.reference_percent, laser.intensity_percent()
    if reference is None or present is None or abs(present - reference) <= _BESIDE_PERCENT:
        return
    context.warn_once(
        laser.name,
        f"it is at {present:g} % of its intensity, the fluence of the set-up holds at"
        f" {reference:g} %: fluences of these points are wrong",
    )


def check_emitting(context: Context) -> None:
    """Look whether the laser has been on to the end.

    Raises:
        DeviceError: The laser is off.
    """
    laser = excitation_laser(context.station)
    if laser is not None and not laser.is_emitting():
        why = laser.interlock() or "it went out by itself"
        what = f"the laser is off: {why}"
        raise DeviceError(laser.name, "emission", what, "switch it on, then measure again")
