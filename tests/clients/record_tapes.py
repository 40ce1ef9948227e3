"""Records what other projects' clients say to the simulators, and hear, as tapes of our drivers.

    python tests/clients/record_tapes.py [NAME …]

Writes ``tests/drivers/<vendor>/tapes/<client>_<instrument>.tape``. The bytes pass a listener of our
own on the way; the clients stay as they are. To be run again when a simulator or client changes;
readings then differ by their noise, and so do the figures in ``test_client_tapes.py``.
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

CASES = {
    "qmi_cryostation": ("montana", "cryostation"),
    "yaqd_spectrapro": ("princeton", "motorised"),
    "pymeasure_keithley": ("keithley", "k2450"),
    "qcodes_keithley2400": ("keithley", "k2400"),
    "qmi_pm100d": ("thorlabs", "power_meter"),
    "pylablib_fw102c": ("thorlabs", "wheel"),
    "pylablib_mff101": ("thorlabs", "mirror"),
    "pylablib_sc10": ("thorlabs", "shutter"),
    "pymeasure_dc2200": ("thorlabs", "led"),
    "pylablib_superk": ("nkt", "superk"),
    "pymeasure_esp300": ("newport", "esp300"),
    "lakeshore336": ("lakeshore", "lakeshore"),
    "pymeasure_lakeshore": ("lakeshore", "lakeshore"),
}
"""Client → vendor of the driver, instrument of the rig."""


@dataclass
class Tap:
    """Carries bytes between a client and a simulator, and keeps them."""

    host: str
    port: int
    said: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])

    @contextmanager
    def listening(self) -> Generator[int]:
        """Carry until the block is left; gives the port for the client."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            stop, halt = socket.socketpair()
            thread = threading.Thread(target=self._serve, args=(server, halt))
            thread.start()
            try:
                yield server.getsockname()[1]
            finally:
                stop.close()
                thread.join()
                halt.close()

    def _serve(self, server: socket.socket, halt: socket.socket) -> None:
        while True:
            if halt in select([server, halt], [], [])[0]:
                return
            client, _ = server.accept()
            with client, socket.create_connection((self.host, self.port)) as device:
                if not self._carry(client, device, halt):
                    return

    def _carry(self, client: socket.socket, device: socket.socket, halt: socket.socket) -> bool:
        """Carry until one side has closed; returns False if it is to stop altogether."""
        while True:
            ready = select([client, device, halt], [], [])[0]
            for source, sink, word in ((client, device, "sent"), (device, client, "received")):
                if source in ready:
                    data = source.recv(65536)
                    if not data:
                        return True
                    self._keep(word, data)
                    sink.sendall(data)
            if halt in ready:
                return False

    def _keep(self, word: str, data: bytes) -> None:
        if self.said and self.said[-1][0] == word:
            data = self.said.pop()[1] + data
        self.said.append((word, data))

    def tape(self, device: str) -> str:
        """Return what was said as a tape of version 1."""
        lines = [{"tape": 1, "device": device, "lost": 0}]
        lines += [{word: data.decode("latin-1")} for word, data in self.said]
        return "".join(json.dumps(line) + "\n" for line in lines)


def record(python: Path, client: str) -> Path:
    """Run a client once and write its tape."""
    from test_clients import running_rig

    vendor, device = CASES[client]
    with running_rig() as rig:
        _, host, port, _ = rig.addresses()[device].split("::")
        tap = Tap(host, int(port))
        with tap.listening() as own:
            program = [str(python), str(HERE / f"client_{client}.py"), "127.0.0.1", str(own)]
            subprocess.run(program, check=True, timeout=120.0)
    path = ROOT / "tests" / "drivers" / vendor / "tapes" / f"{client}.tape"
    path.parent.mkdir(exist_ok=True)
    path.write_text(tap.tape(device), "utf-8", newline="\n")
    return path


def main(names: list[str]) -> None:
    """Record the named clients, or all."""
    sys.path.insert(0, str(HERE))
    python = ROOT / ".venv-clients" / "bin" / "python"
    for client in names or CASES:
        print(record(python, client))


if __name__ == "__main__":
    main(sys.argv[1:])
