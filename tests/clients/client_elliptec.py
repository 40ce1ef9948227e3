"""The elliptec package and a rotation mount. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

from serial_bridge import SerialBridge

elliptec: Any = import_module("elliptec")


def main(host: str, port: str) -> None:
    """Home, turn and read on a pseudo-terminal."""
    bridge = SerialBridge(host, port)
    controller = elliptec.Controller(bridge.port, debug=False)
    mount = elliptec.Rotator(controller)
    mount.home()
    mount.set_angle(45.0)
    result: dict[str, Any] = {"info": mount.info, "angle_deg": mount.get_angle()}
    mount.shift_angle(-20.0)
    result["shifted_deg"] = mount.get_angle()
    controller.close_connection()
    bridge.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
