"""Switching a light path: every part is moved, and read back."""

from labctl.errors import RefusedError
from labctl.measurements._context import Context
from labctl.roles import Selector, Spectrograph

__all__ = ["take_path"]


def take_path(context: Context, name: str | None, default: str) -> dict[str, str]:
    """Bring all parts of a light path into place; the light must be off.

    Args:
        context: The context of the measurement.
        name: The path; None: ``default``, if the set-up has it, else nothing is moved.
        default: The path that this kind of measurement takes by itself.

    Returns:
        The position of every part as read back; with the name of the path under ``name``.

    Raises:
        ConfigError: There is no such path.
        DeviceRefusedError: A part is elsewhere after the move.
    """
    chosen = name or (default if default in context.table.paths else "")
    if not chosen:
        return {}
    found = {"name": chosen}
    for part, position in context.table.path(chosen).items():
        found[part] = _place(context, part, position)
    return found


def _place(context: Context, part: str, position: str) -> str:
    name, _, what = part.partition(".")
    device = context.station[name]
    if isinstance(device, Spectrograph) and what == "exit":
        return _exit(context, device, position)
    if isinstance(device, Selector):
        return _select(context, device, position)
    raise RefusedError(name, f"{part!r} is nothing that a light path can set")


def _exit(context: Context, spectrograph: Spectrograph, position: str) -> str:
    if spectrograph.read_exit() != position:
        spectrograph.start_exit(position)
        context.wait_until(
            lambda: not spectrograph.is_moving(),
            timeout_s=spectrograph.grating_timeout_s,
            what=f"{spectrograph.name} exit {position}",
        )
        spectrograph.confirm_exit(position)
    return position


def _select(context: Context, selector: Selector, position: str) -> str:
    if selector.read_position() != position:
        selector.start_position(position)
        context.wait_until(
            lambda: not selector.is_moving(),
            timeout_s=selector.move_timeout_s,
            what=f"{selector.name} position {position}",
        )
        selector.confirm_position(position)
    return position
