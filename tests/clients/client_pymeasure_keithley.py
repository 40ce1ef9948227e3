"""PyMeasure's drivers of source-meters. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

keithley: Any = import_module("pymeasure.instruments.keithley")


def opened(model: str, host: str, port: str) -> Any:
    """Open a socket with the terminator that both ends use."""
    return getattr(keithley, model)(
        f"TCPIP::{host}::{port}::SOCKET",
        visa_library="@py",
        read_termination="\n",
        write_termination="\n",
        timeout=2000,
    )


def bias_2400(meter: Any) -> dict[str, Any]:
    """Bias, read everything at once, provoke an error."""
    meter.source_mode = "voltage"
    meter.compliance_current = 1e-6
    meter.source_voltage = 10.0
    meter.enable_source()
    everything = meter.measure_all()
    current = meter.current
    meter.write(":SOUR:VOLT 500")
    return {
        "id": meter.id,
        "compliance_a": meter.compliance_current,
        "level_v": meter.source_voltage,
        "on": bool(meter.source_enabled),
        "all": everything,
        "current_a": current,
        "error": list(meter.next_error),
        "no_error": list(meter.next_error),
    }


def bias_2450(meter: Any) -> dict[str, Any]:
    """Bias and measure the current."""
    meter.reset()
    meter.apply_voltage(compliance_current=1e-6)
    meter.measure_current(nplc=1)
    meter.source_voltage = 10.0
    meter.enable_source()
    return {
        "id": meter.id,
        "compliance_a": meter.compliance_current,
        "level_v": meter.source_voltage,
        "on": bool(meter.source_enabled),
        "current_a": meter.current,
    }


def main(host: str, port: str) -> None:
    """Use the class of the model that answers."""
    meter = opened("Keithley2400", host, port)
    if "2450" in meter.id:
        meter.adapter.close()
        meter = opened("Keithley2450", host, port)
        result = bias_2450(meter)
    else:
        result = bias_2400(meter)
    meter.adapter.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
