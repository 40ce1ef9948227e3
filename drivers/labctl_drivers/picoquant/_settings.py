"""Keys of a PicoQuant module in the set-up file, checked against the library's ranges."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from labctl.roles import Limits, Settings
from labctl.units import Picoseconds, Seconds, Volts
from labctl_drivers.picoquant._models import Module, Trigger

__all__ = ["Edge", "InputSettings", "ModuleSettings", "SyncSettings", "millivolts"]

Edge = Literal["falling", "rising"]

_HOLD_MS = Limits(0, 255)


class _Channel(Settings):
    """What sync and inputs have in common; keys that a module does not have are refused.

    Attributes:
        trigger: ``edge`` or ``cfd``, where a module has both.
        level: Of edge trigger or discriminator. A PicoHarp 300 and a HydraHarp 400 take negative
            pulses only and their level without sign, the others with it.
        zero_cross: Zero crossing of the discriminator.
        edge: Which edge of a pulse counts.
        offset: Added to the times of this channel.
        dead_time: Programmed dead time; none: that of the hardware.
    """

    trigger: Trigger | None = None
    level: Volts | None = None
    zero_cross: Volts | None = None
    edge: Edge | None = None
    offset: Picoseconds = 0.0
    dead_time: Picoseconds | None = None


class SyncSettings(_Channel):
    """The sync input.

    Attributes:
        detector: Whether in T2 a detector is plugged in instead of the laser.
    """

    detector: bool = False


class InputSettings(_Channel):
    """One input.

    Attributes:
        enabled: Whether it is used.
    """

    enabled: bool = True


class ModuleSettings(Settings):
    """Keys of the driver's block.

    Attributes:
        serial: Serial number; empty: the first module that the library opens.
        library: File of the vendor's library; empty: looked for under its usual names.
        reference: Clock: ``internal``, or ``external`` (10 MHz).
        sync: The sync input.
        inputs: Inputs by their numbers, from 1; those that are not named have the usual values.
        markers: Marker lines that are recorded in T2 and T3, and on which edge.
        overflow_hold: So long the module may gather overflows into one record.
    """

    module: ClassVar[Module]

    serial: str = ""
    library: str = ""
    reference: Literal["internal", "external"] = "internal"
    sync: SyncSettings = SyncSettings()
    inputs: Mapping[Annotated[int, Field(ge=1)], InputSettings] = {}
    markers: Mapping[Annotated[int, Field(ge=1, le=4)], Edge] = {}
    overflow_hold: Seconds | None = None

    @model_validator(mode="after")
    def _within_ranges(self) -> Self:
        problems = [*self._problems()]
        if problems:
            raise ValueError(f"{self.module.name}: {'; '.join(problems)}")
        return self

    def input(self, number: int) -> InputSettings:
        """Return the keys of an input."""
        return self.inputs.get(number, InputSettings())

    def _problems(self) -> Iterator[str]:
        module = self.module
        if self.reference == "external" and not module.has_reference:
            yield "it takes no external clock"
        if self.overflow_hold is not None:
            if not module.holds_overflows:
                yield "it has no overflow_hold"
            yield from _outside("overflow_hold", 1e3 * self.overflow_hold, _HOLD_MS, "ms")
        yield from _channel_problems("sync", self.sync, module, module.sync_offset_ps)
        for number, one in self.inputs.items():
            if number > module.most_inputs:
                yield f"there is no input {number}, only {module.most_inputs}"
            yield from _channel_problems(f"input {number}", one, module, module.input_offset_ps)


def millivolts(volts: float) -> int:
    """Return whole millivolts; ``ModuleSettings`` has checked that they are whole."""
    return round(1e3 * volts)


def _channel_problems(
    where: str, one: _Channel, module: Module, offset_ps: Limits
) -> Iterator[str]:
    trigger = one.trigger or module.triggers[0]
    if trigger not in module.triggers:
        yield f"{where}: it has no {trigger} trigger"
        return
    if one.level is not None:
        allowed = module.edge_mv if trigger == "edge" else module.cfd_mv
        yield from _outside(f"{where}: level", 1e3 * one.level, allowed, "mV")
    if one.zero_cross is not None:
        if trigger != "cfd":
            yield f"{where}: zero_cross belongs to a cfd"
        else:
            yield from _outside(
                f"{where}: zero_cross", 1e3 * one.zero_cross, module.zero_cross_mv, "mV"
            )
    if one.edge is not None and trigger != "edge":
        yield f"{where}: edge belongs to an edge trigger"
    yield from _outside(f"{where}: offset", one.offset, offset_ps, "ps")
    if one.dead_time is not None:
        if module.dead_ps is None:
            yield f"{where}: its dead time cannot be programmed"
        else:
            yield from _outside(f"{where}: dead_time", one.dead_time, module.dead_ps, "ps")


def _outside(what: str, value: float, allowed: Limits, unit: str) -> Iterator[str]:
    """Yield what is wrong with a number that the library takes as a whole one."""
    value = round(value, 6)
    if value not in allowed:
        span = f"{allowed.low:g} to {allowed.high:g} {unit}"
        yield f"{what} = {value:g} {unit} is out of range (allowed: {span})"
    elif not value.is_integer():
        yield f"{what} = {value:g} {unit} is no whole number of {unit}"
