"""QCoDeS's driver of the 2400. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

driver: Any = import_module("qcodes.instrument_drivers.Keithley.Keithley_2400")


def main(host: str, port: str) -> None:
    """Bias and read back."""
    meter = driver.Keithley2400("meter", f"TCPIP::{host}::{port}::SOCKET", visalib="@py")
    meter.mode("VOLT")
    meter.compliancei(1e-6)
    meter.output(True)
    meter.volt(-4.0)
    result: dict[str, Any] = {
        "idn": meter.get_idn(),
        "volt": meter.volt(),
        "curr": meter.curr(),
        "on": bool(meter.output()),
        "compliance_a": meter.compliancei(),
    }
    meter.output(False)
    meter.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
