"""Levels, edges, offsets and dead times of the channels as plain values."""

from typing import Any

from labctl_drivers.picoquant._models import Module
from labctl_drivers.picoquant._plan import dead_time_ps, levels_mv
from labctl_drivers.picoquant._settings import InputSettings, ModuleSettings, SyncSettings

__all__ = ["channels_of"]


def channels_of(config: ModuleSettings, inputs: int) -> dict[str, Any]:
    """Return ``sync`` and ``channels`` (inputs by number as text); keys carry the unit."""
    numbers = range(1, inputs + 1)
    return {
        "sync": _channel(config.module, config.sync),
        "channels": {
            str(number): {
                "enabled": config.input(number).enabled,
                **_channel(config.module, config.input(number)),
            }
            for number in numbers
        },
    }


def _channel(module: Module, one: SyncSettings | InputSettings) -> dict[str, Any]:
    trigger = one.trigger or module.triggers[0]
    level_mv, zero_cross_mv = levels_mv(module, one)
    by_trigger: dict[str, Any] = (
        {"edge": one.edge or "falling"} if trigger == "edge" else {"zero_cross_mv": zero_cross_mv}
    )
    return {
        "trigger": trigger,
        "level_mv": level_mv,
        **by_trigger,
        "offset_ps": round(one.offset),
        "dead_time_ps": dead_time_ps(one) or 1e3 * module.own_dead_ns,
    }
