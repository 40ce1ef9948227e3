"""pyLabLib's driver of the PM160. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

thorlabs: Any = import_module("pylablib.devices.Thorlabs")


def main(host: str, port: str) -> None:
    """Read, set and read again."""
    meter = thorlabs.PM160((host, int(port)))
    result: dict[str, Any] = {
        "sensor": meter.get_sensor_info().name,
        "modes": meter.get_supported_sensor_modes(),
        "power_at_633_w": meter.get_power(),
    }
    # It gives wavelengths in metres.
    result["wavelength_nm"] = 1e9 * meter.set_wavelength(405e-9)
    result["wavelengths_nm"] = [1e9 * one for one in meter.get_wavelength_range()]
    result["power_w"] = meter.get_power()
    result["autorange"] = meter.is_autorange_enabled()
    meter.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
