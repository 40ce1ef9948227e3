"""attocube ANC350: binary telegrams, three axes with sensors.

Telegrams and addresses: as pylablib's class and the emulator of the ISIS control group show them
(the manual's unit control protocol). What an order does with its output off, and that single
steps wait for each other, is assumed.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.attocube._anc350_axis import ClosedAxis
from labctl_sim.attocube._stage import AXES, STAGE_DEFAULTS, StageFaults, stage_axes
from labctl_sim.wire import Send, Session
from labctl_sim.world import World

__all__ = ["Anc350"]

_GET, _ACK, _TELL = 1, 3, 4
_BAD_ADDRESS, _OUT_OF_RANGE, _IGNORED = 1, 2, 3
_UPDATE_S = 0.1
_LARGEST_MV, _LARGEST_HZ = 70_000, 5000
_FULL_SENSOR_MV = 2000
_POSITION = 0x0415
_ACTIONS = (0x040D, 0x040E, 0x040F, 0x0410, 0x0411, 0x051E)
_KEPT = (0x000A, 0x0407, 0x041D, 0x0450, 0x0542, 0x0549, 0x054F, 0x016F)


class Anc350(StageFaults):
    """The controller; axes 0, 1 and 2 move the sample along x, y and z.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: What differs from ``truth_defaults``; ``sensor_heating_k``: by so much the sensors
            at full supply warm the sample.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **STAGE_DEFAULTS,
        "hardware_number": -1,
        "sensor_noise_um": 0.02,
        "sensor_scale_ratio": 1.01,
        "sensor_heating_k": 0.0,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.piezos = stage_axes(world, name, self.truth)
        self.axes = [
            ClosedAxis(
                *(world, name, axis, self.piezos[axis]),
                noise_um=float(self.truth["sensor_noise_um"]),
                scale_ratio=float(self.truth["sensor_scale_ratio"]),
            )
            for axis in AXES
        ]
        self._numbers = {axis: number for number, axis in enumerate(AXES)}
        self.hardware_id = int(self.truth["hardware_number"])
        self._wrong: set[int] = set()
        self._kept: dict[tuple[int, int], int] = {}
        self.updates = True
        self._supply(_FULL_SENSOR_MV)

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_wrong_axis_type(self, axis: str = "x") -> None:
        """Let an axis be unconnected, until cleared."""
        self._piezo(axis)
        self._wrong.add(self._numbers[axis])

    def fault_sensor_error(self, axis: str = "x", disconnected: bool = False) -> None:
        """Let a sensor fail until cleared; it then reads 0."""
        self._piezo(axis)
        self.axes[self._numbers[axis]].trouble = "disconnected" if disconnected else "error"

    def clear_faults(self) -> None:
        """End all faults; a damaged piezo stays damaged."""
        self.heal()
        self._wrong.clear()
        for axis in self.axes:
            axis.trouble = ""

    def reset(self) -> None:
        """Lose power for a moment: outputs off, default numbers, updates on."""
        for axis in self.axes:
            axis.reset()
        self.updates = True
        self._supply(_FULL_SENSOR_MV)

    def get(self, address: int, index: int) -> tuple[int, int]:
        """Give reason and value of a question."""
        common: dict[int, Callable[[], int]] = {
            0x0145: lambda: int(self.updates),
            0x0168: lambda: self.hardware_id,
            0x0526: lambda: self._sensor_mv,
        }
        if address in common:
            return 0, common[address]()
        if address in _KEPT:
            return 0, self._kept.get((address, index), 0)
        if not 0 <= index < len(self.axes):
            return _OUT_OF_RANGE, 0
        read = self._readings(self.axes[index], index).get(address)
        return (_BAD_ADDRESS, 0) if read is None else (0, read())

    def put(self, address: int, index: int, value: int) -> int:
        """Carry an order out; gives its reason."""
        if address == 0x0145:
            self.updates = bool(value)
        elif address == 0x016A:
            self.hardware_id = value
        elif address == 0x0526:
            return self._supply(value)
        elif address in _KEPT:
            self._kept[address, index] = value
        elif not 0 <= index < len(self.axes):
            return _OUT_OF_RANGE
        else:
            return self._put(self.axes[index], address, index, value)
        return 0

    def _readings(self, axis: ClosedAxis, index: int) -> dict[int, Callable[[], int]]:
        return {
            0x0400: lambda: axis.amplitude_mv,
            0x0401: lambda: axis.hertz,
            0x0404: lambda: self._status(axis),
            0x0408: lambda: axis.target_nm,
            _POSITION: axis.position_nm,
            0x0514: lambda: axis.offset_mv,
            0x0569: lambda: axis.capacitance_pf,
            0x3002: lambda: int(index not in self._wrong),
            0x302E: lambda: int(axis.moving),
            0x3030: lambda: int(axis.enabled),
            0x3036: lambda: axis.precision_nm,
            0x3037: lambda: int(axis.reached),
            0x3039: lambda: int(axis.end(1)),
            0x303A: lambda: int(axis.end(-1)),
        }

    def _status(self, axis: ClosedAxis) -> int:
        troubles = {"": 0, "error": 0x100, "disconnected": 0x500}
        ends = 0x002 if axis.end(1) or axis.end(-1) else 0
        return int(axis.moving) | ends | troubles[axis.trouble] | 0x800 | 0x1000 * axis.enabled

    def _put(self, axis: ClosedAxis, address: int, index: int, value: int) -> int:
        if address in _ACTIONS:
            return self._act(axis, address, index, value)
        ranges = {
            0x0400: (0, _LARGEST_MV),
            0x0401: (1, _LARGEST_HZ),
            0x0408: (-(2**31), 2**31 - 1),
            0x0514: (0, _LARGEST_MV),
            0x3030: (0, 1),
            0x3036: (1, 2**31 - 1),
        }
        if address not in ranges:
            return _BAD_ADDRESS
        low, high = ranges[address]
        if not low <= value <= high:
            return _OUT_OF_RANGE
        self._keep(axis, address, value)
        return 0

    def _keep(self, axis: ClosedAxis, address: int, value: int) -> None:
        if address == 0x0514:
            axis.set_offset(value)
        elif address == 0x3030:
            axis.enable(bool(value))
        else:
            names = {0x0400: "amplitude_mv", 0x0401: "hertz", 0x0408: "target_nm"}
            setattr(axis, names.get(address, "precision_nm"), value)

    def _act(self, axis: ClosedAxis, address: int, index: int, value: int) -> int:
        if address == 0x040E and value == 0:
            axis.stop()
            return 0
        if not axis.enabled or index in self._wrong:
            return _IGNORED
        actions: dict[int, Callable[[], None]] = {
            0x040D: axis.move,
            0x040E: lambda: axis.jog(1),
            0x040F: lambda: axis.jog(-1),
            0x0410: lambda: axis.step(1),
            0x0411: lambda: axis.step(-1),
            0x051E: axis.measure,
        }
        if value:
            actions[address]()
        return 0

    def _supply(self, millivolts: int) -> int:
        if not 0 <= millivolts <= _FULL_SENSOR_MV:
            return _OUT_OF_RANGE
        self._sensor_mv = millivolts
        share = (millivolts / _FULL_SENSOR_MV) ** 2
        self.world.thermal.extra_k = float(self.truth["sensor_heating_k"]) * share
        return 0


class _Session:
    """One client: questions and orders in telegrams; updates unasked until switched off."""

    def __init__(self, device: Anc350, send: Send) -> None:
        self._device, self._send = device, send
        self._partial = b""
        self._gone = False
        self._update()

    def receive(self, data: bytes) -> None:
        """Take whole telegrams."""
        self._partial += data
        while len(self._partial) >= 4:
            (length,) = struct.unpack_from("<I", self._partial)
            if not 16 <= length <= 512:
                # Whatever this is, it cannot be resynchronised.
                self._partial = b""
                return
            if len(self._partial) < 4 + length:
                return
            telegram, self._partial = self._partial[: 4 + length], self._partial[4 + length :]
            self._answer(telegram)

    def closed(self) -> None:
        """Nothing more is sent."""
        self._gone = True

    def _answer(self, telegram: bytes) -> None:
        opcode, address, index, correlation = struct.unpack_from("<IIII", telegram, 4)
        if opcode == _GET:
            reason, value = self._device.get(address, index)
        else:
            value = struct.unpack_from("<i", telegram, 20)[0] if len(telegram) >= 24 else 0
            reason = self._device.put(address, index, value)
        if correlation:
            self._tell(_ACK, address, index, correlation, reason, value)

    def _update(self) -> None:
        if self._gone:
            return
        if self._device.updates:
            for index, axis in enumerate(self._device.axes):
                self._tell(_TELL, _POSITION, index, 0, axis.position_nm())
        self._device.world.after(_UPDATE_S, self._update)

    def _tell(self, opcode: int, address: int, index: int, number: int, *words: int) -> None:
        head = struct.pack("<IIIII", 16 + 4 * len(words), opcode, address, index, number)
        self._send(head + struct.pack(f"<{len(words)}i", *words))
