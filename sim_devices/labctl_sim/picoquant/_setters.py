"""Everything that a client can set on a module, one command for each function of the library."""

from collections.abc import Callable, Mapping
from typing import Any

from labctl_sim.libraries import VendorError
from labctl_sim.picoquant._measuring import Measuring
from labctl_sim.picoquant._models import Model
from labctl_sim.picoquant._settings import InputSettings, Settings, bounded
from labctl_sim.picoquant._words import Code

__all__ = ["Setters"]


class Setters:
    """The setting functions of one module; plain values only."""

    def __init__(
        self,
        model: Model,
        *,
        router: bool,
        measuring: Callable[[], Measuring],
        settle: Callable[[], None],
    ) -> None:
        """Set up the commands.

        Args:
            model: Its ranges.
            router: Whether a router is plugged in.
            measuring: Gives what holds the settings at present; Initialize makes a new one.
            settle: Called when the rate meters must begin anew.
        """
        self.model = model
        self._router, self._now, self._settle = router, measuring, settle

    @property
    def _settings(self) -> Settings:
        return self._now().settings

    def commands(self) -> Mapping[str, Callable[..., Any]]:
        """Name of each function, and what carries it out."""
        return {
            "SetSyncDiv": self._set_sync_div,
            "SetSyncCFD": self._set_sync_cfd,
            "SetInputCFD": self._set_input_cfd,
            "SetSyncEdgeTrg": self._set_sync_edge_trg,
            "SetInputEdgeTrg": self._set_input_edge_trg,
            "SetSyncTrgMode": self._set_sync_trg_mode,
            "SetInputTrgMode": self._set_input_trg_mode,
            "SetSyncChannelOffset": self._set_sync_channel_offset,
            "SetSyncOffset": self._set_sync_channel_offset,
            "SetInputChannelOffset": self._set_input_channel_offset,
            "SetRoutingChannelOffset": self._set_routing_channel_offset,
            "SetInputChannelEnable": self._set_input_channel_enable,
            "SetSyncChannelEnable": self._set_sync_channel_enable,
            "SetSyncDeadTime": self._set_sync_dead_time,
            "SetInputDeadTime": self._set_input_dead_time,
            "SetInputHysteresis": self._hysteresis,
            "SetOflCompression": self._set_ofl_compression,
            "SetTriggerOutput": self._set_trigger_output,
            "SetMeasControl": self._set_meas_control,
            "SetBinning": self._set_binning,
            "SetOffset": self._set_offset,
            "SetHistoLen": self._set_histo_len,
            "SetStopOverflow": self._set_stop_overflow,
            "SetMultistopEnable": self._set_multistop_enable,
            "SetMarkerEnable": self._set_marker_enable,
            "SetMarkerEdges": self._set_marker_edges,
            "SetMarkerHoldoffTime": self._set_marker_holdoff_time,
            "EnableRouting": self._enable_routing,
            "SetPHR800Input": self._set_phr800_input,
            "SetPHR800CFD": self._set_phr800_cfd,
            "GetRoutingChannels": self._get_routing_channels,
            "GetRouterVersion": self._get_router_version,
        }

    def input(self, channel: int) -> InputSettings:
        """Settings of an input by the library's number.

        Raises:
            VendorError: There is no such input.
        """
        if self.model.prefix != "PH":
            return self._settings.inputs[bounded(channel, 0, self.model.inputs - 1)]
        # The PicoHarp 300 counts its two inputs from the sync on.
        bounded(channel, 0, 1)
        return self._settings.sync if channel == 0 else self._settings.inputs[0]

    def _set_sync_div(self, _index: int, divider: int) -> None:
        self._settings.set_divider(divider)
        self._settle()

    def _set_sync_cfd(self, _index: int, level: int, zero: int) -> None:
        self._settings.set_cfd(self._settings.sync, level, zero)

    def _set_input_cfd(self, _index: int, channel: int, level: int, zero: int) -> None:
        self._settings.set_cfd(self.input(channel), level, zero)

    def _set_sync_edge_trg(self, _index: int, level: int, edge: int) -> None:
        self._settings.set_edge(self._settings.sync, level, edge)

    def _set_input_edge_trg(self, _index: int, channel: int, level: int, edge: int) -> None:
        self._settings.set_edge(self.input(channel), level, edge)

    def _set_sync_trg_mode(self, _index: int, mode: int) -> None:
        bounded(mode, 0, 1)

    def _set_input_trg_mode(self, _index: int, channel: int, mode: int) -> None:
        self.input(channel)
        bounded(mode, 0, 1)

    def _set_sync_channel_offset(self, _index: int, value: int) -> None:
        self._settings.set_shift(self._settings.sync, value)

    def _set_input_channel_offset(self, _index: int, channel: int, value: int) -> None:
        self._settings.set_shift(self.input(channel), value)

    def _set_routing_channel_offset(self, _index: int, channel: int, value: int) -> None:
        self._settings.set_shift(self._settings.inputs[bounded(channel, 0, 3)], value)
        bounded(value, -8000, 8000)

    def _set_input_channel_enable(self, _index: int, channel: int, enable: int) -> None:
        self.input(channel).enabled = bool(bounded(enable, 0, 1))

    def _set_sync_channel_enable(self, _index: int, enable: int) -> None:
        self._settings.sync.enabled = bool(bounded(enable, 0, 1))

    def _set_sync_dead_time(self, _index: int, on: int, dead_ps: int) -> None:
        self._settings.sync.dead_ps = _dead_ps(on, dead_ps)

    def _set_input_dead_time(self, _index: int, channel: int, on: int, dead_ps: int) -> None:
        self.input(channel).dead_ps = _dead_ps(on, dead_ps)

    def _hysteresis(self, _index: int, code: int) -> None:
        bounded(code, 0, 1)

    def _set_ofl_compression(self, _index: int, hold_ms: int) -> None:
        self._settings.hold_ms = bounded(hold_ms, 0, 255)

    def _set_trigger_output(self, _index: int, period: int) -> None:
        bounded(period, 0, 16777215)

    def _set_meas_control(self, _index: int, control: int, start: int, stop: int) -> None:
        # Nothing is plugged into the control inputs: only starts by command can be carried out.
        if bounded(control, 0, 6) != 0:
            raise VendorError(Code.INVALID_OPTION)
        bounded(start, 0, 1)
        bounded(stop, 0, 1)

    def _set_binning(self, _index: int, binning: int) -> None:
        self._settings.binning = bounded(binning, 0, self.model.bin_steps - 1)

    def _set_offset(self, _index: int, offset: int) -> None:
        self._settings.offset = bounded(offset, 0, self.model.measure_offset)

    def _set_histo_len(self, _index: int, code: int) -> int:
        self._settings.length_code = bounded(code, 0, self.model.length_codes)
        self._now().clear()
        return self._settings.bins

    def _set_stop_overflow(self, _index: int, on: int, count: int) -> None:
        bounded(count, 1, 2**32 - 1)
        self._settings.stop_overflow = count if bounded(on, 0, 1) else None

    def _set_multistop_enable(self, _index: int, enable: int) -> None:
        self._settings.multistop = bool(bounded(enable, 0, 1))

    def _set_marker_enable(self, _index: int, *enabled: int) -> None:
        self._settings.markers_enabled = sum(
            bounded(one, 0, 1) << line for line, one in enumerate(enabled)
        )

    def _set_marker_edges(self, _index: int, *edges: int) -> None:
        self._settings.markers_rising = sum(
            bounded(edge, 0, 1) << line for line, edge in enumerate(edges)
        )

    def _set_marker_holdoff_time(self, _index: int, hold_ns: int) -> None:
        bounded(hold_ns, 0, self.model.holdoff_ns)

    def _get_routing_channels(self, _index: int) -> int:
        return 4 if self._router else 1

    def _enable_routing(self, _index: int, enable: int) -> None:
        self._need_router()
        self._settings.routing = bool(bounded(enable, 0, 1))

    def _set_phr800_input(self, _index: int, channel: int, level: int, edge: int) -> None:
        # Levels of the router are not simulated: its inputs see every pulse.
        self._need_router()
        bounded(channel, 0, 3)
        bounded(level, -1600, 2400)
        bounded(edge, 0, 1)

    def _set_phr800_cfd(self, _index: int, channel: int, level: int, zero: int) -> None:
        self._need_router()
        bounded(channel, 0, 3)
        bounded(level, 0, 800)
        bounded(zero, 0, 20)

    def _get_router_version(self, _index: int) -> list[str]:
        self._need_router()
        return ["PHR 800", "1.0"]

    def _need_router(self) -> None:
        if not self._router:
            raise VendorError(Code.INVALID_OPTION)


def _dead_ps(on: int, dead_ps: int) -> int:
    bounded(on, 0, 1)
    return bounded(dead_ps, 800, 160_000) if on else 0
