"""pylablib's ANC350, its USB device replaced by a socket. Arguments: host, port. Prints JSON.

The class is bound to pyusb, so the one thing that is exchanged is the device that pyusb finds:
each USB packet carries one telegram.
"""

import json
import socket
import struct
import sys
from array import array
from functools import partial
from importlib import import_module
from typing import Any

usb: Any = import_module("usb.core")
attocube: Any = import_module("pylablib.devices.Attocube")


class Device:
    """What pylablib uses of a USB device, over TCP."""

    def __init__(self, host: str, port: str) -> None:
        """Connect."""
        self._socket = socket.create_connection((host, int(port)))

    def write(self, endpoint: int, data: bytes, timeout: int | None = None) -> int:
        """Send a packet."""
        assert endpoint == 0x02
        self._socket.sendall(bytes(data))
        return len(data)

    def read(self, endpoint: int, size: int, timeout: int | None = None) -> "array[int]":
        """Receive a packet."""
        assert endpoint == 0x86
        self._socket.settimeout((timeout or 5000) / 1000)
        try:
            head = self._exactly(4)
            return array("B", head + self._exactly(struct.unpack("<I", head)[0]))
        except TimeoutError as error:
            raise usb.USBTimeoutError("timed out", errno=110) from error

    def finalize(self) -> None:
        """Give the connection up."""
        self._socket.close()

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self._socket.recv(count - len(data))
        return data


def _found(host: str, port: str, **_: Any) -> list[Device]:
    return [Device(host, port)]


def main(host: str, port: str) -> None:
    """Read, set, move in closed loop, be refused."""
    usb.find = partial(_found, host, port)
    stage: Any = attocube.ANC350(0, timeout=2.0)
    result: dict[str, Any] = {
        "hardware_id": stage.get_hardware_id(),
        "connected": stage.is_connected(0),
        "sensor_v": stage.get_sensor_voltage(),
        "voltage_v": stage.set_voltage(0, 30.0),
        "frequency_hz": stage.set_frequency(0, 1000),
    }
    stage.enable_axis(0)
    result["enabled"] = stage.is_enabled(0)
    stage.move_to(0, 50e-6, precision=1e-7)
    result["moving"] = stage.is_moving(0)
    stage.wait_move(0, precision=1e-7, timeout=20.0)
    result["position_um"] = stage.get_position(0) * 1e6
    result["limit"] = stage.check_limit(0)
    result["status"] = stage.get_status(0)
    stage.stop(0)
    stage.move_by_steps(0, 3)
    result["offset_v"] = stage.set_offset(0, 10.0)
    result["capacitance_nf"] = stage.get_capacitance(0, measure=True) * 1e9
    stage.disable_axis(0)
    try:
        stage.set_value(0x0400, 0, 99_000, ack=True)
    except attocube.AttocubeError as error:
        result["refusal"] = str(error)
    stage.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
