"""A module as its library sees it: one command for each function, plain values only."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from labctl_sim.libraries import VendorError
from labctl_sim.picoquant._compiled import compile_all
from labctl_sim.picoquant._faults import FaultSwitches
from labctl_sim.picoquant._functions import ABSENT
from labctl_sim.picoquant._measuring import Measuring
from labctl_sim.picoquant._models import Model
from labctl_sim.picoquant._replay import replay_problems
from labctl_sim.picoquant._setters import Setters
from labctl_sim.picoquant._settings import Settings, bounded
from labctl_sim.picoquant._warnings import warnings
from labctl_sim.picoquant._wiring import Wiring
from labctl_sim.picoquant._words import Code, error_text, warning_text
from labctl_sim.world import World

__all__ = ["PicoquantSimulator"]

_SETTLE_S = 0.1
_ANYTIME = {"GetLibraryVersion", "GetErrorString", "OpenDevice", "CloseDevice"}
_UNINITIALIZED = {"Initialize", "GetSerialNumber"}
_CHANGES_WHILE_RUNNING = {"SetMarkerEnable", "SetMarkerEdges", "SetMarkerHoldoffTime"}
_DEVICES = 8


class PicoquantSimulator(FaultSwitches):
    """One module, switched on, nobody connected.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``serial`` is used.
        truth: What differs from ``truth_defaults``: ``timing_rms_ps`` of the electronics,
            amplitudes of sync and detector pulses, ``replay`` (path of a recorded PTU file that
            takes the place of the world's light), ``t2_sync`` ("none" or "laser": what is plugged
            into the sync input in T2), ``router`` (a PicoHarp 300 with four inputs in T3),
            ``device_number`` among the library's devices, ``marker_4`` (trigger output that is
            cabled to marker input 4, as ``instrument.output``).
    """

    interface: ClassVar[str] = "library"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "timing_rms_ps": 12.0,
        "sync_amplitude_v": -0.3,
        "amplitude_v": -0.8,
        "replay": "",
        "t2_sync": "none",
        "router": False,
        "device_number": 0,
        "marker_4": "stage.1",
    }
    truth_files: ClassVar[frozenset[str]] = frozenset({"replay"})
    """Truths that name a file; whoever reads a set-up looks for them beside it."""
    model: ClassVar[Model]

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        super().__init__()
        compile_all()
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self._serial = self._own_serial = str(settings.get("serial") or self.model.serial)
        self._wiring = Wiring(name, world, self.truth, self.faults)
        self._open = self._initialized = self._calibrated = False
        self._ready_s = 0.0
        self._measuring = self._fresh(0)
        self._setters = Setters(
            self.model,
            router=bool(self.truth["router"]),
            measuring=lambda: self._measuring,
            settle=self._settle,
        )
        self._known = self._commands()
        world.lines.follow(str(self.truth["marker_4"]), self._line_edge)

    def call(self, method: str, arguments: list[Any]) -> list[Any]:
        """Answer a function with the library's code and a list of what it gives.

        Raises:
            KeyError: No such function; a mistake of the face, not of the client.
        """
        with self.world.lock:
            command = self._known[method]
            try:
                self._check(method, arguments)
                answer = command(*arguments)
            except VendorError as refusal:
                return [int(refusal.code), []]
            if isinstance(answer, list):
                return [0, cast("list[Any]", answer)]
            return [0, [] if answer is None else [answer]]

    @classmethod
    def truth_problems(
        cls, _settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Tell which truths cannot be: key, and what is wrong with a hint."""
        return replay_problems(truth)

    def _line_edge(self) -> None:
        """What is cabled to marker input 4 has changed its level."""
        rises = self._settings.markers_rising >> 3 & 1 == 1
        if self.world.lines.get(str(self.truth["marker_4"])) == rises:
            self._measuring.mark(8)

    def fault_marker(self, bits: int = 1) -> None:
        """Give an edge on marker lines: bits 1, 2, 4, 8."""
        self._measuring.advance()
        self._measuring.mark(bits)

    def fault_unplug(self) -> None:
        """Pull the USB cable: the run ends, every call fails; plugged in again it is fresh."""
        self.reset()
        super().fault_unplug()

    def fault_other_unit(self, serial: str = "1099999") -> None:
        """Be another unit of the same model, as after a change of cables."""
        self._serial = serial

    def clear_faults(self) -> None:
        """End every fault."""
        super().clear_faults()
        self._serial = self._own_serial

    def drop_client(self) -> None:
        """Close what a program that has died had open; the rest stays as it was."""
        with self.world.lock:
            self._open = self._initialized = False

    def reset(self) -> None:
        """Switch the module off and on."""
        self._measuring.stop()
        self._open = self._initialized = self._calibrated = False
        self._measuring = self._fresh(0)

    @property
    def _settings(self) -> Settings:
        return self._measuring.settings

    def _fresh(self, mode: int) -> Measuring:
        settings = Settings.fresh(self.model, mode)
        return Measuring(self._wiring, self.truth, self.faults, settings)

    def _check(self, method: str, arguments: list[Any]) -> None:
        if method in ("GetLibraryVersion", "GetErrorString"):
            return
        mine = bounded(int(arguments[0]), 0, _DEVICES - 1) == self.truth["device_number"]
        if self.faults.unplugged or not mine:
            failed = method == "OpenDevice"
            raise VendorError(Code.DEVICE_OPEN_FAIL if failed else Code.DEVICE_NOT_OPEN)
        if method not in _ANYTIME and not self._open:
            raise VendorError(Code.DEVICE_NOT_OPEN)
        if method not in _ANYTIME and self.faults.strikes():
            raise VendorError(self.faults.refusal_code)
        # A run that a dead program left behind can be stopped, or nobody could go on (assumed).
        ends_it = method == "StopMeas" and self._measuring.running
        if method not in _ANYTIME | _UNINITIALIZED and not (self._initialized or ends_it):
            raise VendorError(Code.NOT_INITIALIZED)
        if method.startswith("Set") and method not in _CHANGES_WHILE_RUNNING:
            self._measuring.need_rest()

    def _commands(self) -> Mapping[str, Callable[..., Any]]:
        absent = dict.fromkeys(ABSENT, self._absent)
        known = {**absent, **self._setters.commands()}
        return {**known, **self._identity(), **self._readings(), **self._runs()}

    def _identity(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "GetLibraryVersion": self._get_library_version,
            "GetErrorString": self._get_error_string,
            "OpenDevice": self._open_device,
            "CloseDevice": self._close_device,
            "Initialize": self._initialize,
            "Calibrate": self._calibrate,
            "GetHardwareInfo": self._get_hardware_info,
            "GetSerialNumber": self._get_serial_number,
            "GetFeatures": self._get_features,
            "GetBaseResolution": self._get_base_resolution,
            "GetNumOfInputChannels": self._get_num_of_input_channels,
            "GetNumOfModules": self._get_num_of_modules,
            "GetModuleInfo": self._get_module_info,
            "GetModuleIndex": self._get_module_index,
            "GetDebugInfo": self._debug,
            "GetHardwareDebugInfo": self._debug,
            "SaveDebugDump": self._save_debug_dump,
        }

    def _readings(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "GetResolution": self._get_resolution,
            "GetSyncRate": self._get_sync_rate,
            "GetSyncPeriod": self._get_sync_period,
            "GetCountRate": self._get_count_rate,
            "GetAllCountRates": self._get_all_count_rates,
            "GetWarnings": self._get_warnings,
            "GetWarningsText": self._get_warnings_text,
        }

    def _runs(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "GetFlags": self._get_flags,
            "GetElapsedMeasTime": self._get_elapsed_meas_time,
            "GetStartTime": self._get_start_time,
            "GetContModeBlock": self._get_cont_mode_block,
            "StartMeas": self._start_meas,
            "StopMeas": self._stop_meas,
            "CTCStatus": self._ctc_status,
            "ReadFiFo": self._read_fifo,
            "ClearHistMem": self._clear_hist_mem,
            "GetHistogram": self._get_histogram,
            "GetAllHistograms": self._get_all_histograms,
        }

    # Identity and modes.

    def _get_library_version(self) -> str:
        return self.model.library

    def _get_error_string(self, code: int) -> str:
        return error_text(code)

    def _open_device(self, _index: int) -> str:
        self._open = True
        return self._serial

    def _close_device(self, _index: int) -> None:
        if not self._open:
            raise VendorError(Code.DEVICE_NOT_OPEN)
        self._measuring.stop()
        self._open = self._initialized = False

    def _initialize(self, _index: int, mode: int, _reference: int = 0) -> None:
        self._measuring.need_rest()
        if mode not in self.model.modes:
            raise VendorError(Code.INVALID_MODE)
        self._measuring = self._fresh(mode)
        self._initialized = True
        self._settle()

    def _calibrate(self, _index: int) -> None:
        self._measuring.need_rest()
        self._calibrated = True

    def _get_hardware_info(self, _index: int) -> list[str]:
        return [self.model.name, self.model.part, self.model.hardware]

    def _get_serial_number(self, _index: int) -> str:
        return self._serial

    def _get_features(self, _index: int) -> int:
        return self.model.features

    def _get_base_resolution(self, _index: int) -> list[float]:
        return [float(self.model.base_ps), self.model.bin_steps]

    def _get_num_of_input_channels(self, _index: int) -> int:
        return self.model.inputs

    def _get_num_of_modules(self, _index: int) -> int:
        return 1

    def _get_module_info(self, _index: int, module: int = 0) -> list[int]:
        bounded(module, 0, 0)
        return [int(self.model.part), 1]

    def _get_module_index(self, _index: int, channel: int) -> int:
        self._setters.input(channel)
        return 0

    def _debug(self, _index: int) -> str:
        return f"{self.model.name} {self._serial}: nothing to report"

    def _save_debug_dump(self, index: int, path: str) -> None:
        try:
            Path(path).write_text(self._debug(index), "latin-1")
        except OSError as error:
            raise VendorError(Code.INVALID_ARGUMENT) from error

    def _absent(self, *_arguments: Any) -> None:
        raise VendorError(Code.INVALID_OPTION)

    # Rates and state.

    def _get_resolution(self, _index: int) -> float:
        return float(self._settings.resolution_ps)

    def _get_sync_rate(self, _index: int) -> int:
        return self._sync_rate()

    def _get_sync_period(self, _index: int) -> float:
        rate_hz = self._sync_rate()
        return 1.0 / rate_hz if rate_hz else 0.0

    def _get_count_rate(self, _index: int, channel: int) -> int:
        if self.model.prefix != "PH":
            return self._rates().get(bounded(channel, 0, self.model.inputs - 1) + 1, 0)
        if bounded(channel, 0, self.model.inputs) == 0 and self._settings.mode != 2:
            return self._sync_rate()
        return self._rates().get(channel, 0)

    def _get_all_count_rates(self, _index: int) -> list[Any]:
        rates = self._rates()
        found = [rates.get(channel, 0) for channel in range(1, self.model.inputs + 1)]
        return [self._sync_rate(), np.array(found, dtype="<i4").tobytes()]

    def _get_warnings(self, _index: int) -> int:
        return warnings(self._settings, self._sync_rate(), self._rates(), self.faults)

    def _get_warnings_text(self, _index: int, bits: int) -> str:
        return warning_text(bits)

    def _get_flags(self, _index: int) -> int:
        return self._measuring.flags()

    def _get_elapsed_meas_time(self, _index: int) -> float:
        return self._measuring.elapsed_ms()

    def _get_start_time(self, _index: int) -> list[int]:
        start_ps = self._measuring.began_ps()
        return [(start_ps >> shift) & 0xFFFFFFFF for shift in (64, 32, 0)]

    # Acquisition.

    def _get_cont_mode_block(self, *_arguments: Any) -> None:
        raise VendorError(Code.INVALID_MODE)

    def _start_meas(self, _index: int, time_ms: int) -> None:
        self._measuring.start(time_ms)

    def _stop_meas(self, _index: int) -> None:
        self._measuring.stop()

    def _ctc_status(self, _index: int) -> int:
        return int(self._measuring.over())

    def _read_fifo(self, _index: int, count: int | None = None) -> list[Any]:
        most = self.model.read_most if count is None else count
        bounded(most, max(self.model.read_least, 1), self.model.read_most)
        data = self._measuring.read(most)
        return [data, len(data) // 4]

    def _clear_hist_mem(self, _index: int, block: int | None = None) -> None:
        self._measuring.need_rest()
        self._measuring.clear(None if block is None else bounded(block, 0, 3))

    def _get_histogram(self, _index: int, channel: int, clear: int = 0) -> bytes:
        highest = 3 if self.model.prefix == "PH" else self.model.inputs - 1
        found = self._measuring.histogram(bounded(channel, 0, highest))
        if bounded(clear, 0, 1):
            self._measuring.clear(channel)
        return found

    def _get_all_histograms(self, _index: int) -> bytes:
        return b"".join(self._measuring.histogram(i) for i in range(self.model.inputs))

    def _settle(self) -> None:
        self._ready_s = self.world.now() + _SETTLE_S

    def _sync_rate(self) -> int:
        ready = self.world.now() >= self._ready_s
        return round(self._wiring.sync_rate_hz(self._settings)) if ready else 0

    def _rates(self) -> dict[int, int]:
        if self.world.now() < self._ready_s:
            return {}
        rates = self._wiring.rates_hz(self._settings)
        if self.faults.rate_hz is not None:
            return dict.fromkeys(rates, round(self.faults.rate_hz))
        return rates
