"""PyMeasure's driver of the PM100USB. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

thorlabs: Any = import_module("pymeasure.instruments.thorlabs")


def main(host: str, port: str) -> None:
    """Read, set and read again."""
    meter = thorlabs.ThorlabsPM100USB(
        f"TCPIP::{host}::{port}::SOCKET",
        visa_library="@py",
        read_termination="\n",
        write_termination="\n",
    )
    result: dict[str, Any] = {"sensor": meter.sensor_name, "power_at_633_w": meter.power}
    meter.wavelength = 405
    result |= {
        "wavelengths_nm": [meter.wavelength_min, meter.wavelength_max],
        "wavelength_nm": meter.wavelength,
        "power_w": meter.power,
    }
    meter.adapter.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
