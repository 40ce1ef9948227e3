"""Counters of a National Instruments card, through the NI-DAQmx library."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import Field

from labctl.errors import DeviceError, RefusedError
from labctl.roles import Identity, Limits, PulseCounter, Settings
from labctl.transport import LibraryLink
from labctl_drivers.ni._daqmx import FALLING, RISING, Daqmx

__all__ = ["NiCounter", "NiCounterSettings"]


class NiCounterSettings(Settings):
    """Keys of a counter card in the set-up file.

    Attributes:
        device: Name of the card in NI MAX.
        inputs: Number of each counter in use, and the terminal where its pulses come in
            (``PFI8``); an empty text is the counter's usual one.
        edge: Edge of the pulses that counts.
    """

    device: Annotated[str, Field(pattern=r"^\w+$")] = "Dev1"
    inputs: Annotated[dict[Annotated[int, Field(ge=0)], str], Field(min_length=1)] = {0: ""}
    edge: Literal["rising", "falling"] = "rising"


class NiCounter(PulseCounter):
    """Driver of the counters; they run from ``connect`` to ``close``, one task each."""

    interface = "library"
    settings_type = NiCounterSettings

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: NiCounterSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is needed; the library is loaded by ``connect``."""
        super().__init__(name)
        self._link, self._settings = link, settings
        self._library: Daqmx | None = None
        self._tasks: dict[int, int] = {}

    def identity(self) -> Identity:
        """Ask which card it is."""
        model, serial = self._daqmx().product(self._settings.device)
        return Identity("National Instruments", model, serial)

    def snapshot(self) -> dict[str, Any]:
        """Return the wiring and the counts of all counters in use."""
        counts = {str(channel): self.read_counts(channel) for channel in self.inputs()}
        inputs = {str(channel): text for channel, text in self._settings.inputs.items()}
        return {
            "device": self._settings.device,
            "inputs": inputs,
            "edge": self._settings.edge,
            "counts": counts,
        }

    def inputs(self) -> tuple[int, ...]:
        """Return the numbers of the counters in use."""
        return tuple(self._settings.inputs)

    def read_counts(self, channel: int) -> int:
        """Return the counts of one counter since ``connect``, modulo 2^32.

        Raises:
            RefusedError: There is no such counter, or the card is not connected.
            DeviceError: The library refuses, or the card has gone; with its words.
        """
        if channel not in self._tasks:
            known = ", ".join(map(str, self._tasks)) or "none, it is not connected"
            raise RefusedError(self.name, f"counter {channel} does not run", f"counters: {known}")
        return self._daqmx().read(self._tasks[channel])

    def _open(self) -> None:
        self._library = self._link.open(Daqmx, self.name)
        card, edge = self._settings.device, self._settings.edge
        for channel, terminal in self._settings.inputs.items():
            self._tasks[channel] = self._library.count_edges(
                f"{card}/ctr{channel}",
                f"/{card}/{terminal}" if terminal else "",
                RISING if edge == "rising" else FALLING,
            )

    def _close(self) -> None:
        tasks, self._tasks = self._tasks, {}
        if self._library is not None:
            for task in tasks.values():
                with suppress(DeviceError):
                    self._library.end(task)
        self._library = None
        self._link.let_go()

    def _daqmx(self) -> Daqmx:
        if self._library is None:
            raise RefusedError(self.name, "it is not connected", "connect first")
        return self._library
