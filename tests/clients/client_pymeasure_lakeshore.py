"""PyMeasure's driver of Lake Shore controllers. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

lakeshore: Any = import_module("pymeasure.instruments.lakeshore")


def main(host: str, port: str) -> None:
    """Read and set."""
    device = lakeshore.LakeShore3xx(
        f"TCPIP::{host}::{port}::SOCKET",
        visa_library="@py",
        write_termination="\n",
        timeout=2000,
    )
    device.output_1.setpoint = 21.0
    device.output_1.range = "medium"
    result: dict[str, Any] = {
        "kelvin": device.input_A.kelvin,
        "set_point": device.output_1.setpoint,
        "range": device.output_1.range,
        "heater": device.output_1.output,
    }
    device.adapter.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
