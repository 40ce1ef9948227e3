"""The thorlabs_elliptec package and a rotation mount. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

from serial_bridge import SerialBridge

package: Any = import_module("thorlabs_elliptec")


def main(host: str, port: str) -> None:
    """Home, turn and read on a pseudo-terminal; a thread of its own asks for the status."""
    bridge = SerialBridge(host, port)
    mount = package.ELLx(serial_port=bridge.port, x=14, device_id=0)
    mount.home(blocking=True)
    mount.move_absolute(45.0, blocking=True)
    result: dict[str, Any] = {
        "serial": mount.serial_number,
        "firmware": mount.firmware_version,
        "travel_deg": mount.travel,
        "angle_deg": mount.get_position(),
    }
    mount.move_relative(-20.0, blocking=True)
    result["shifted_deg"] = mount.get_position()
    mount.close()
    bridge.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
