"""Counters of a card beneath the NI-DAQmx library (public C API, ``NIDAQmx.h``)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from labctl_sim.libraries import VendorError
from labctl_sim.ni._face import INVALID_PARAMETER, daqmx_library
from labctl_sim.ni._tally import Tally
from labctl_sim.world import World

__all__ = ["CounterCard"]

_NO_DEVICE = -200220
_NO_CHANNEL = -200170
_NO_TASK = -200088
_RESERVED = -50103
_EMPTY_TASK = -200478
_TEXTS: Mapping[int, str] = {
    _NO_DEVICE: "Device identifier is invalid.",
    _NO_CHANNEL: "Physical channel specified does not exist on this device.",
    _NO_TASK: "Task specified is invalid or does not exist.",
    _RESERVED: "The specified resource is reserved.",
    _EMPTY_TASK: "Specified operation cannot be performed when there are no channels in the task.",
    INVALID_PARAMETER: "Requested value is not a supported value for this property.",
}
_EDGES = (10280, 10171)
_COUNT_UP = 10128


@dataclass
class _Task:
    """One task: its counter, the count it starts with, and the pulses while it runs."""

    channel: int = -1
    initial: int = 0
    tally: Tally | None = None


class CounterCard:
    """A card with counters that pulses of detectors go to.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``device`` is used.
        truth: What differs from ``truth_defaults``: ``counter_count``, ``product`` and
            ``serial_number``.
    """

    interface: ClassVar[str] = "library"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "counter_count": 4,
        "product": "PCIe-6323",
        "serial_number": 0x01A2B3C4,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self._truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self._device = str(settings.get("device") or "Dev1")
        self._tasks: dict[int, _Task] = {}
        self._last_handle = 0
        self._last_error = ""
        self._gone = False
        self._commands: Mapping[str, Callable[..., list[Any] | None]] = {
            "DAQmxGetDevProductType": self._get_product_type,
            "DAQmxGetDevSerialNum": self._get_serial_number,
            "DAQmxCreateTask": self._create_task,
            "DAQmxCreateCICountEdgesChan": self._create_channel,
            "DAQmxSetCICountEdgesTerm": self._set_terminal,
            "DAQmxStartTask": self._start_task,
            "DAQmxReadCounterScalarU32": self._read,
            "DAQmxStopTask": self._stop_task,
            "DAQmxClearTask": self._clear_task,
        }

    face = staticmethod(daqmx_library)

    def call(self, method: str, arguments: list[Any]) -> list[Any]:
        """Answer a function with the library's code and a list of what it gives.

        Raises:
            KeyError: No such function; a mistake of the face, not of the client.
        """
        with self.world.lock:
            if method == "DAQmxGetExtendedErrorInfo":
                return [0, [self._last_error]]
            try:
                if self._gone:
                    raise VendorError(_NO_DEVICE)
                return [0, self._commands[method](*arguments) or []]
            except VendorError as refusal:
                self._last_error = f"{_TEXTS[refusal.code]}\n\nStatus Code: {refusal.code}"
                return [refusal.code, []]

    def fault_unplug(self) -> None:
        """Take the card out until cleared; its tasks are lost."""
        self._gone = True
        self._tasks.clear()

    def drop_client(self) -> None:
        """Close what a program that has died had open; the rest stays as it was."""
        self._tasks.clear()

    def clear_faults(self) -> None:
        """Put the card back."""
        self._gone = False

    def _get_product_type(self, device: str, _size: int) -> list[Any]:
        self._need_device(device)
        return [str(self._truth["product"])]

    def _get_serial_number(self, device: str) -> list[Any]:
        self._need_device(device)
        return [int(self._truth["serial_number"])]

    def _create_task(self, _name: str) -> list[Any]:
        self._last_handle += 1
        self._tasks[self._last_handle] = _Task()
        return [self._last_handle]

    def _create_channel(
        self, handle: int, counter: str, _name: str, edge: int, initial: int, direction: int
    ) -> None:
        task = self._task(handle)
        if edge not in _EDGES or direction != _COUNT_UP:
            raise VendorError(INVALID_PARAMETER)
        task.channel, task.initial = self._channel(counter), initial

    def _set_terminal(self, handle: int, counter: str, terminal: str) -> None:
        task = self._task(handle)
        if self._channel(counter) != task.channel:
            raise VendorError(_NO_CHANNEL)
        self._need_device(terminal.removeprefix("/").partition("/")[0])

    def _start_task(self, handle: int) -> None:
        task = self._task(handle)
        if task.channel < 0:
            raise VendorError(_EMPTY_TASK)
        others = [one for one in self._tasks.values() if one is not task and one.tally]
        if any(one.channel == task.channel for one in others):
            raise VendorError(_RESERVED)
        task.tally = Tally(self.world, self.name, task.channel)

    def _read(self, handle: int, _timeout_s: float) -> list[Any]:
        task = self._task(handle)
        if task.tally is None:
            self._start_task(handle)
        counts = task.tally.counts() if task.tally else 0
        return [(task.initial + counts) % 2**32]

    def _stop_task(self, handle: int) -> None:
        self._task(handle).tally = None

    def _clear_task(self, handle: int) -> None:
        self._task(handle)
        del self._tasks[handle]

    def _task(self, handle: int | None) -> _Task:
        if handle not in self._tasks:
            raise VendorError(_NO_TASK)
        return self._tasks[handle]

    def _channel(self, counter: str) -> int:
        device, _, name = counter.removeprefix("/").partition("/")
        self._need_device(device)
        known = {f"ctr{number}": number for number in range(int(self._truth["counter_count"]))}
        if name.lower() not in known:
            raise VendorError(_NO_CHANNEL)
        return known[name.lower()]

    def _need_device(self, device: str) -> None:
        if device.lower() != self._device.lower():
            raise VendorError(_NO_DEVICE)
