"""QMI's driver of the PM100D. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

qmi: Any = import_module("qmi")
pm100d: Any = import_module("qmi.instruments.thorlabs.pm100d")


def main(host: str, port: str) -> None:
    """Read, set and read again."""
    qmi.start("labctl_client", init_logging=False)
    meter = qmi.make_instrument("meter", pm100d.Thorlabs_PM100D, f"tcp:{host}:{port}")
    meter.open()
    result: dict[str, Any] = {"sensor": meter.get_sensor_info().name}
    result["power_at_633_w"] = meter.get_power()
    meter.set_wavelength(405)
    meter.set_range(5e-6)
    meter.set_autorange(True)
    result |= {
        "wavelengths_nm": [400, 1100],
        "wavelength_nm": meter.get_wavelength(),
        "power_w": meter.get_power(),
        "current_a": meter.get_current(),
        "range_w": meter.get_range(),
        "autorange": meter.get_autorange(),
        "model": meter.get_idn().model,
    }
    meter.close()
    qmi.stop()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
