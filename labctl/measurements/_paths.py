"""Switching a light path: judged before anything moves, every part moved, and read back."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from labctl.errors import ConfigError, Problem, RefusedError
from labctl.measurements._context import Context
from labctl.optics import LightFilter
from labctl.roles import Illuminator, OpticalFilter, Selector, Shutter, Spectrograph

__all__ = ["take_path"]


def take_path(
    context: Context, name: str | None, default: str, detectors: Iterable[str]
) -> dict[str, Any]:
    """Bring all parts of a light path into place; the excitation shutter is closed meanwhile.

    Args:
        context: The context of the measurement.
        name: The path; None: ``default``, if the set-up has it, else nothing is moved, and the
            filters are judged as they stand.
        default: The path that this kind of measurement takes by itself.
        detectors: Names of the detectors that will see the light of the path.

    Returns:
        The position of every part as read back; with the name of the path under ``name``, and
        under ``laser_density`` the optical density at the laser line of all filters in it.
        Lights for looking at the sample are put out in any case, and named as ``off``.

    Raises:
        ConfigError: There is no such path.
        RefusedError: Its filters would let too much laser light through; nothing was moved.
        DeviceRefusedError: A part is elsewhere after the move.
    """
    chosen = name or (default if default in context.table.paths else "")
    dark = _darken(context)
    asked: Mapping[str, str] = context.table.path(chosen) if chosen else {}
    density = _judged(context, chosen or default, asked, detectors)
    judged = {} if density is None else {"laser_density": density}
    if not chosen:
        return {**dark, **judged}
    return {"name": chosen, **_move(context, asked), **dark, **judged}


def _move(context: Context, asked: Mapping[str, str]) -> dict[str, str]:
    """Move what is elsewhere; returns where everything stands, as read back."""
    found = {part: _position(context, part) for part in asked}
    elsewhere = [part for part in asked if found[part] != asked[part]]
    if elsewhere:
        _close_light(context)
    for part in elsewhere:
        _place(context, part, asked[part])
        found[part] = asked[part]
    return found


def _darken(context: Context) -> dict[str, str]:
    """Put out what lights the sample to look at it; whoever wants it lights it afterwards."""
    station = context.station
    lights = [light for name in station if isinstance(light := station[name], Illuminator)]
    for light in lights:
        if light.is_on():
            light.switch_off()
    return {light.name: "off" for light in lights}


def _close_light(context: Context) -> None:
    """Shut the excitation off, so that no part moves in the light."""
    station = context.station
    if any(isinstance(station[name], Shutter) for name in station):
        shutter = station.only(Shutter, prefer="shutter")
        if shutter.is_open():
            shutter.shut()


def _judged(
    context: Context, path: str, asked: Mapping[str, str], detectors: Iterable[str]
) -> float | None:
    """Return the optical density at the laser line of a path that may be taken.

    That in front of the detector which is protected least.
    """
    laser, blocking = context.table.laser, context.table.blocking
    if laser is None or blocking is None:
        return None
    standing = [
        (f, _density(context, f, laser.wavelength_nm))
        for f in blocking.filters
        if _stands(context, f, asked)
    ]
    least = math.inf
    for detector in list(detectors) or [""]:
        found = {f.name: value for f, value in standing if f.protects(detector)}
        total = sum(found.values())
        needed, by = blocking.needed(path, [detector] if detector else [])
        if total < needed:
            each = ", ".join(f"{name} {value:.1f}" for name, value in found.items()) or "none"
            what = (
                f"takes {by} to an optical density of {total:.1f} at {laser.wavelength_nm:g} nm"
                f" ({each}), and it needs {needed:g}"
            )
            hint = "bring another filter in; what each detector needs stands under laser_blocking"
            raise RefusedError(f"light path {path!r}", what, hint)
        least = min(least, total)
    return least


def _stands(context: Context, element: LightFilter, asked: Mapping[str, str]) -> bool:
    """Return whether a filter will be in the light; parts that do not move are asked."""
    others = element.standing.keys() - asked.keys()
    found = {part: _position(context, part) for part in others}
    return bool(element.is_in({**asked, **found}))


def _density(context: Context, element: LightFilter, wavelength_nm: float) -> float:
    if element.density is not None:
        return element.density
    device = context.station[element.instrument]
    if not isinstance(device, OpticalFilter):
        what = f"filter {element.name!r}: {element.instrument!r} is a {device.role}, not a filter"
        raise ConfigError([Problem(what, hint="write its density")])
    return device.optical_density(wavelength_nm)


def _position(context: Context, part: str) -> str:
    name, _, what = part.partition(".")
    device = context.station[name]
    if isinstance(device, Spectrograph) and what == "exit":
        return device.read_exit()
    if isinstance(device, Spectrograph) and what == "entrance":
        return device.read_entrance()
    if isinstance(device, Selector) and not what:
        return device.read_position()
    raise RefusedError(name, f"{part!r} is nothing that a light path can set")


def _place(context: Context, part: str, position: str) -> None:
    name, _, what = part.partition(".")
    device = context.station[name]
    if isinstance(device, Spectrograph):
        _mirror(context, device, what, position)
    elif isinstance(device, Selector):
        _select(context, device, position)


def _mirror(context: Context, spectrograph: Spectrograph, which: str, position: str) -> None:
    exits = which == "exit"
    start = spectrograph.start_exit if exits else spectrograph.start_entrance
    confirm = spectrograph.confirm_exit if exits else spectrograph.confirm_entrance
    start(position)
    context.wait_until(
        lambda: not spectrograph.is_moving(),
        timeout_s=spectrograph.grating_timeout_s,
        what=f"{spectrograph.name} {which} {position}",
    )
    confirm(position)


def _select(context: Context, selector: Selector, position: str) -> None:
    selector.start_position(position)
    context.wait_until(
        lambda: not selector.is_moving(),
        timeout_s=selector.move_timeout_s,
        what=f"{selector.name} position {position}",
    )
    selector.confirm_position(position)
