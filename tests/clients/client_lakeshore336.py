"""The maker's own driver of the Model 336. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

lakeshore: Any = import_module("lakeshore")


def main(host: str, port: str) -> None:
    """Read, set, ramp; every command is followed by ``*ESR?``."""
    device = lakeshore.Model336(ip_address=host, tcp_port=int(port), timeout=2)
    result: dict[str, Any] = {
        "serial": device.serial_number,
        "kelvin": device.get_kelvin_reading("A"),
        "all": device.get_all_kelvin_reading(),
    }
    device.set_control_setpoint(1, 15.5)
    device.set_setpoint_ramp_parameter(1, True, 3.0)
    result["set_point"] = device.get_control_setpoint(1)
    result["ramp"] = device.get_setpoint_ramp_parameter(1)
    result["heater"] = device.get_heater_output(1)
    device.disconnect_tcp()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
