"""QMI's drivers of PicoQuant modules. Arguments: host, port, model, sim_devices folder.

Only the loaded library is another one: its functions ask a module behind host and port. Prints
JSON.
"""

import ctypes
import json
import sys
from importlib import import_module
from typing import Any

import numpy as np
from remote_library import library

_T2_MS, _T3_MS, _HISTOGRAM_MS = 500, 500, 500


def tagged(module: Any, time_ms: int) -> dict[str, Any]:
    """Run and fetch all events; counts and sums of times by type."""
    # The meter needs 0.1 s after a change of mode or divider, and QMI divides by the sync rate.
    while module.get_sync_rate() == 0:
        pass
    module.start_measurement(time_ms)
    parts: list[Any] = []
    while module.get_measurement_active():
        parts.append(module.get_events())
    module.stop_measurement()
    parts.append(module.get_events())
    events: Any = np.concatenate(parts)
    return {
        str(kind): [
            int((events["type"] == kind).sum()),
            int(events["timestamp"][events["type"] == kind].sum()),
        ]
        for kind in np.unique(events["type"])
    }


def main(host: str, port: str, model: str, folder: str) -> None:
    """Open, T2, T3, histogram, close."""
    found = library(model, host, port, folder)

    def load(_name: str) -> Any:
        return found

    vars(ctypes.cdll)["LoadLibrary"] = load
    qmi: Any = import_module("qmi")
    picoquant: Any = import_module("qmi.instruments.picoquant")
    kinds = {"MH": picoquant.PicoQuant_MultiHarp150, "HH": picoquant.PicoQuant_HydraHarp400}
    qmi.start("labctl_client", init_logging=False)
    serials = {"MH": "1044785", "HH": "1035683"}
    module = qmi.make_instrument("module", kinds[model], serials[model])
    module.open()
    result: dict[str, Any] = {}
    for mode, time_ms in (("T2", _T2_MS), ("T3", _T3_MS)):
        module.initialize(mode, "INTERNAL")
        module.set_sync_divider(1)
        result[mode] = tagged(module, time_ms)
    module.initialize("HIST", "INTERNAL")
    result["resolution_ps"] = module.get_resolution()
    result["info"] = module.get_hardware_info()
    result["inputs"] = module.get_number_of_input_channels()
    module.set_binning(3)
    module.start_measurement(_HISTOGRAM_MS)
    while module.get_measurement_active():
        pass
    module.stop_measurement()
    clear = [] if model == "MH" else [0]
    result["histogram"] = int(module.get_histogram(0, *clear).sum())
    result["sync_hz"] = module.get_sync_rate()
    result["rates_hz"] = [module.get_count_rate(channel) for channel in range(2)]
    result["flags"] = module.get_flags()
    result["warnings"] = module.get_warnings()
    module.close()
    qmi.stop()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
