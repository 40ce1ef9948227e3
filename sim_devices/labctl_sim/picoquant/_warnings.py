"""What the library warns of, from rates and settings."""

from collections.abc import Mapping

from labctl_sim.picoquant._faults import Faults
from labctl_sim.picoquant._settings import Settings
from labctl_sim.picoquant._words import Warn

__all__ = ["warnings"]

_LOW_HZ = 100
_RATIO = 0.05
_T2 = 2
_HISTOGRAM = 0


def warnings(settings: Settings, sync_hz: int, inputs_hz: Mapping[int, int], faults: Faults) -> int:
    """Bits of `Warn`; the vendor asks to read the rates just before."""
    found = Warn(0)
    if not any(inputs_hz.values()):
        found |= Warn.INPUT_RATE_ZERO
    if sum(inputs_hz.values()) > 1e6 * settings.model.top_input_mhz:
        found |= Warn.INPUT_RATE_TOO_HIGH
    if faults.dropped:
        found |= Warn.COUNTS_DROPPED
    if settings.mode == _T2:
        return found | (Warn.DIVIDER_GREATER_ONE if settings.sync_divider > 1 else Warn(0))
    return found | _of_sync(settings, sync_hz, max(inputs_hz.values(), default=0))


def _of_sync(settings: Settings, sync_hz: int, input_hz: int) -> Warn:
    top_hz = 1e6 * settings.model.top_sync_mhz
    if sync_hz == 0:
        return Warn.SYNC_RATE_ZERO
    found = Warn(0)
    if sync_hz < _LOW_HZ:
        found |= Warn.SYNC_RATE_TOO_LOW
    if sync_hz / settings.sync_divider > top_hz:
        found |= Warn.SYNC_RATE_TOO_HIGH | Warn.DIVIDER_TOO_SMALL
    if settings.sync_divider > 1 and sync_hz < top_hz:
        found |= Warn.DIVIDER_GREATER_ONE
    if input_hz > _RATIO * sync_hz:
        found |= Warn.INPUT_RATE_RATIO
    bins = settings.bins if settings.mode == _HISTOGRAM else 1 << settings.model.form.dtime_bits
    span_ps, period_ps = bins * settings.resolution_ps, 1e12 / sync_hz
    if period_ps > span_ps + settings.offset_ps:
        found |= Warn.TIME_SPAN_TOO_SMALL
    if settings.offset > 0 and period_ps < span_ps:
        found |= Warn.OFFSET_UNNECESSARY
    return found
