"""The calls that bring a module into the wanted state, as a list; nothing is called here.

Dead times are only sent where the set-up has one, since not every variant can program them.

Order: the vendor's demos (``tttrmode``, ``histomode``) of the four libraries.
"""

from collections.abc import Iterator
from typing import Any

from labctl.roles import TaggerSettings
from labctl_drivers.picoquant._models import Module, Trigger
from labctl_drivers.picoquant._settings import (
    InputSettings,
    ModuleSettings,
    SyncSettings,
    millivolts,
)

__all__ = ["Call", "axis_start", "dead_time_ps", "levels_mv", "mode_arguments", "settings_calls"]

Call = tuple[str, tuple[Any, ...]]
"""Name without prefix, and the arguments after the device's index."""

_MODES = {"histogram": 0, "t2": 2, "t3": 3}
_EDGES = {"falling": 0, "rising": 1}
_TRIGGER_MODES: dict[Trigger, int] = {"edge": 0, "cfd": 1}
_HOLD_MS = 2
_MARKER_LINES = (1, 2, 3, 4)
_FULL_BIN = 2**32 - 1


def mode_arguments(config: ModuleSettings, mode: str) -> tuple[int, ...]:
    """Return the arguments of Initialize for a mode."""
    reference = (int(config.reference == "external"),) if config.module.has_reference else ()
    return (_MODES[mode], *reference)


def axis_start(module: Module, offset_ps: float) -> int:
    """Return the start of the delay axis in the library's unit."""
    return round(offset_ps / module.axis_unit_ps)


def levels_mv(module: Module, one: SyncSettings | InputSettings) -> tuple[int, int]:
    """Return level and zero crossing of a channel, mV; the second is 0 with an edge trigger."""
    level_mv, zero_cross_mv = module.defaults_mv[one.trigger or module.triggers[0]]
    if one.level is not None:
        level_mv = millivolts(one.level)
    if one.zero_cross is not None:
        zero_cross_mv = millivolts(one.zero_cross)
    return level_mv, zero_cross_mv


def dead_time_ps(one: SyncSettings | InputSettings) -> int:
    """Return the programmed dead time of a channel, ps; 0: that of the hardware."""
    return round(one.dead_time or 0.0)


def settings_calls(config: ModuleSettings, wanted: TaggerSettings, inputs: int) -> Iterator[Call]:
    """Yield the calls for everything that Initialize has reset.

    Args:
        config: The set-up's keys.
        wanted: What the measurement wants.
        inputs: How many inputs the module has.
    """
    yield "SetSyncDiv", (wanted.sync_divider,)
    if config.module.counts_sync_as_input:
        yield from _of_picoharp_300(config)
    else:
        yield from _of_sync(config, wanted)
        for number in range(1, inputs + 1):
            yield from _of_input(config, number)
    if wanted.mode != "histogram":
        yield from _of_records(config)
    if wanted.mode != "t2":
        yield "SetBinning", (wanted.binning,)
        yield "SetOffset", (axis_start(config.module, wanted.offset_ps),)
    if wanted.mode == "histogram":
        yield from _of_histogram(config.module)


def _of_picoharp_300(config: ModuleSettings) -> Iterator[Call]:
    yield "SetInputCFD", (0, *levels_mv(config.module, config.sync))
    yield "SetSyncOffset", (round(config.sync.offset),)
    yield "SetInputCFD", (1, *levels_mv(config.module, config.input(1)))


def _of_sync(config: ModuleSettings, wanted: TaggerSettings) -> Iterator[Call]:
    module, sync = config.module, config.sync
    yield from _of_trigger(module, "SetSync", (), sync)
    yield "SetSyncChannelOffset", (round(sync.offset),)
    if module.switches_sync:
        # A laser that stays plugged in would fill the buffer in T2.
        yield "SetSyncChannelEnable", (int(wanted.mode != "t2" or sync.detector),)
    if sync.dead_time is not None:
        yield "SetSyncDeadTime", (1, dead_time_ps(sync))


def _of_input(config: ModuleSettings, number: int) -> Iterator[Call]:
    module, one, channel = config.module, config.input(number), number - 1
    yield from _of_trigger(module, "SetInput", (channel,), one)
    yield "SetInputChannelOffset", (channel, round(one.offset))
    yield "SetInputChannelEnable", (channel, int(one.enabled))
    if one.dead_time is not None:
        yield "SetInputDeadTime", (channel, 1, dead_time_ps(one))


def _of_trigger(
    module: Module, name: str, channel: tuple[int, ...], one: SyncSettings | InputSettings
) -> Iterator[Call]:
    trigger = one.trigger or module.triggers[0]
    level_mv, zero_cross_mv = levels_mv(module, one)
    if len(module.triggers) > 1:
        yield f"{name}TrgMode", (*channel, _TRIGGER_MODES[trigger])
    if trigger == "cfd":
        yield f"{name}CFD", (*channel, level_mv, zero_cross_mv)
    else:
        yield f"{name}EdgeTrg", (*channel, level_mv, _EDGES[one.edge or "falling"])


def _of_records(config: ModuleSettings) -> Iterator[Call]:
    if config.module.holds_overflows:
        hold_s = config.overflow_hold
        yield "SetOflCompression", (_HOLD_MS if hold_s is None else round(1e3 * hold_s),)
    edges = tuple(_EDGES[config.markers.get(line, "falling")] for line in _MARKER_LINES)
    yield "SetMarkerEdges", edges
    yield "SetMarkerEnable", tuple(int(line in config.markers) for line in _MARKER_LINES)


def _of_histogram(module: Module) -> Iterator[Call]:
    if module.counts_sync_as_input:
        yield "SetMultistopEnable", (1,)
        # Off: PHLib's count is of another width, and a bin holds 2^32 - 1 either way.
        yield "SetStopOverflow", (0, 65535)
    else:
        yield "SetStopOverflow", (1, _FULL_BIN)
