"""PyMeasure's generic SCPI instrument at the DC2200, for which nobody has a class. Prints JSON.

Arguments: host, port.
"""

import json
import sys
from importlib import import_module
from typing import Any

instruments: Any = import_module("pymeasure.instruments")


class Scpi(instruments.SCPIMixin, instruments.Instrument):
    """Nothing of its own."""


def main(host: str, port: str) -> None:
    """Identify, clear, switch on and off, provoke an error."""
    led = Scpi(
        f"TCPIP::{host}::{port}::SOCKET",
        "LED driver",
        visa_library="@py",
        write_termination="\n",
        read_termination="\n",
        timeout=2000,
    )
    led.clear()
    result: dict[str, Any] = {"id": led.id}
    led.write("SOUR:MODE CB")
    led.write("SOUR:CBR:BRIG 25")
    led.write("OUTP:STAT 1")
    result["brightness"] = led.values("SOUR:CBR:BRIG?")
    result["on"] = led.values("OUTP:STAT?", cast=int)
    led.write("OUTP:STAT 0")
    led.write("NO:SUCH:THING")
    result["errors"] = [[int(code), text] for code, text in led.check_errors()]
    led.adapter.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
