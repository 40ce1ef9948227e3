"""pyLabLib's driver of the K10CR1. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

thorlabs: Any = import_module("pylablib.devices.Thorlabs")


def main(host: str, port: str) -> None:
    """Home, turn, stop, and read all it can."""
    mount = thorlabs.KinesisMotor(("serial", f"socket://{host}:{port}"), scale="K10CR1")
    result: dict[str, Any] = {"model": mount.get_device_info().model_no}
    result["homed_before"] = mount.is_homed()
    mount.home()
    mount.wait_for_home()
    result["homed"] = mount.is_homed()
    mount.move_to(45.0)
    mount.wait_move()
    result["angle_deg"] = mount.get_position()
    result["velocity_deg_s"] = mount.get_velocity_parameters().max_velocity
    mount.move_by(30.0)
    mount.stop(immediate=True)
    result["stopped"] = not mount.is_moving()
    result["stopped_deg"] = mount.get_position()
    result["status"] = mount.get_status()
    mount.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
