"""QCoDeS's contributed driver of the legacy Cryostation. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

driver: Any = import_module("qcodes_contrib_drivers.drivers.MontanaInstruments.cryostation")


def main(host: str, port: str) -> None:
    """Read, set and read again; this driver sends STSP without a space."""
    cryostation = driver.MontanaInstruments_Cryostation("cryostation", address=host, port=int(port))
    result: dict[str, Any] = {
        "platform_k": cryostation.temp_platform(),
        "sample_k": cryostation.temp_sample(),
        "heater_w": cryostation.power_heater_platform(),
    }
    cryostation.temp_setpoint(11)
    result["set_point_k"] = cryostation.temp_setpoint()
    cryostation.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
