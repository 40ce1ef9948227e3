"""pyLabLib's driver of the ELL14. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

thorlabs: Any = import_module("pylablib.devices.Thorlabs")


def main(host: str, port: str) -> None:
    """Home, turn and read all it can."""
    mount = thorlabs.ElliptecMotor(f"socket://{host}:{port}", addrs=[0])
    info = mount.get_device_info()
    mount.home()
    mount.move_to(45.0)
    result: dict[str, Any] = {
        "serial": info.serial_no,
        "model": info.model_no,
        "travel_deg": info.travel,
        "pulses": info.pulse,
        "angle_deg": mount.get_position(),
    }
    mount.move_by(-90.0)
    result["shifted_deg"] = mount.get_position()
    result["velocity"] = mount.get_velocity()
    result["home_offset_deg"] = mount.get_home_offset()
    result["status"] = mount.get_status()
    mount.get_motor_info()
    mount.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
