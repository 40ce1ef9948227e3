"""What a client can set on a module, with the library's ranges."""

from dataclasses import dataclass, field

from labctl_sim.libraries import VendorError
from labctl_sim.picoquant._models import Model
from labctl_sim.picoquant._words import Code

__all__ = ["InputSettings", "Settings", "bounded"]

_LEVEL_MV = 50
_QUIET_MV = 5
"""Below this a trigger level sees the noise of the line, taken here as nothing."""


def bounded(value: int, lowest: int, highest: int) -> int:
    """Return a value in its range.

    Raises:
        VendorError: It is not.
    """
    if not lowest <= value <= highest:
        raise VendorError(Code.INVALID_ARGUMENT)
    return value


@dataclass
class InputSettings:
    """One input, or the sync."""

    level_mv: int = _LEVEL_MV
    zero_cross_mv: int = 10
    edge: int = 0
    offset_ps: int = 0
    enabled: bool = True
    dead_ps: int = 0
    """Programmed; 0: only the module's own."""

    def sees(self, amplitude_mv: float, *, signed: bool) -> bool:
        """Whether pulses of this amplitude (negative: downward) cross the level.

        ``signed``: the level carries the sign; else it is a discriminator for negative pulses.
        """
        level_mv = float(self.level_mv if signed else -self.level_mv)
        same_side = level_mv * amplitude_mv > 0.0
        return self.enabled and same_side and _QUIET_MV <= abs(level_mv) < abs(amplitude_mv)


@dataclass
class Settings:
    """Everything that Initialize resets."""

    model: Model
    mode: int = 0
    sync_divider: int = 1
    binning: int = 0
    offset: int = 0
    length_code: int = 0
    stop_overflow: int | None = None
    multistop: bool = True
    routing: bool = False
    hold_ms: int = 0
    markers_enabled: int = 15
    markers_rising: int = 15
    sync: InputSettings = field(default_factory=InputSettings)
    inputs: list[InputSettings] = field(default_factory=list[InputSettings])

    @classmethod
    def fresh(cls, model: Model, mode: int) -> "Settings":
        """Values after Initialize."""
        edge = model.cfd_mv is None or model.cfd_mv[0] < 0
        level_mv = -_LEVEL_MV if edge else _LEVEL_MV
        return cls(
            model,
            mode,
            length_code=model.default_length,
            multistop=model.prefix != "PH",
            hold_ms=model.hold_ms,
            sync=InputSettings(level_mv),
            inputs=[InputSettings(level_mv) for _ in range(max(model.inputs, 4))],
        )

    @property
    def signed(self) -> bool:
        """Whether trigger levels carry a sign."""
        return self.model.cfd_mv is None or self.model.cfd_mv[0] < 0

    @property
    def resolution_ps(self) -> int:
        """Width of a time bin."""
        return self.model.base_ps << self.binning

    @property
    def bins(self) -> int:
        """Length of a histogram."""
        return 1024 << self.length_code

    @property
    def offset_ps(self) -> int:
        """What is subtracted from each delay."""
        return self.offset * self.model.measure_offset_ps

    def set_divider(self, value: int) -> None:
        """Set the sync divider."""
        if value not in self.model.sync_dividers:
            raise VendorError(Code.INVALID_ARGUMENT)
        self.sync_divider = value

    def set_cfd(self, one: InputSettings, level_mv: int, zero_cross_mv: int) -> None:
        """Set a discriminator."""
        if self.model.cfd_mv is None:
            raise VendorError(Code.INVALID_OPTION)
        one.level_mv = bounded(level_mv, *self.model.cfd_mv)
        one.zero_cross_mv = bounded(zero_cross_mv, *self.model.zero_cross_mv)

    def set_edge(self, one: InputSettings, level_mv: int, edge: int) -> None:
        """Set an edge trigger."""
        if self.model.edge_mv is None:
            raise VendorError(Code.INVALID_OPTION)
        bounded(edge, 0, 1)
        one.level_mv, one.edge = bounded(level_mv, *self.model.edge_mv), edge

    def set_shift(self, one: InputSettings, value_ps: int) -> None:
        """Set a channel's offset."""
        one.offset_ps = bounded(value_ps, -self.model.offset_ps, self.model.offset_ps)
