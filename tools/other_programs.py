"""Writes docs/other_programs.md: what other projects' programs make of our simulators and files.

    python tools/other_programs.py RUN.nxs

RUN is the product of a run with spectra and decays, such as that of ``labctl demo``. Nothing is
judged here; ``tests/clients`` and ``tests/nexus`` do that.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from labctl.clock import RealClock
from labctl.photons import Decoder, read_ptu
from labctl.storage import read_run

ROOT = Path(__file__).parents[1]
CLIENTS, NEXUS = ROOT / "tests" / "clients", ROOT / "tests" / "nexus"
PAGE, PICTURE = ROOT / "docs" / "other_programs.md", "images/nexusformat_default.png"
_LONGEST_LINE, _MOST_LINES = 92, 10
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Client:
    """A client's script, the package that it uses, and whom it talks to.

    Attributes:
        script: Name behind ``client_``.
        package: Name of the distribution.
        instrument: Name in the rig of the tests.
    """

    script: str
    package: str
    instrument: str


CLIENT_TABLE = (
    Client("qmi_cryostation", "qmi", "cryostation"),
    Client("qcodes_cryostation", "qcodes_contrib_drivers", "cryostation"),
    Client("scryostation", "pymodaq_plugins_montana", "s50"),
    Client("yaqd_spectrapro", "yaqd-acton", "spectrapro"),
    Client("pylablib_anc300", "pylablib", "anc300"),
    Client("pymeasure_anc300", "pymeasure", "anc300"),
    Client("pylablib_anc350", "pylablib", "anc350"),
    Client("pymeasure_keithley", "pymeasure", "k2450"),
    Client("qcodes_keithley2400", "qcodes", "k2400"),
    Client("lakeshore336", "lakeshore", "lakeshore"),
    Client("pymeasure_lakeshore", "pymeasure", "lakeshore"),
    Client("qmi_pm100d", "qmi", "power_meter"),
    Client("pymeasure_pm100usb", "pymeasure", "power_meter"),
    Client("pylablib_pm160", "pylablib", "power_meter"),
    Client("elliptec", "elliptec", "ell14"),
    Client("thorlabs_elliptec", "thorlabs_elliptec", "ell14"),
    Client("pylablib_elliptec", "pylablib", "ell14"),
    Client("pylablib_k10cr1", "pylablib", "k10cr1"),
    Client("pylablib_fw102c", "pylablib", "wheel"),
    Client("pylablib_mff101", "pylablib", "mirror"),
    Client("pylablib_sc10", "pylablib", "shutter"),
    Client("pymeasure_dc2200", "pymeasure", "led"),
    Client("pylablib_superk", "pylablib", "superk"),
    Client("pymeasure_esp300", "pymeasure", "esp300"),
)


def python_of(environment: str) -> Path:
    """Return the interpreter of one of the project's environments."""
    folder, name = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    return ROOT / environment / folder / name


def ask(python: Path, *arguments: object) -> Any:
    """Run a script; return what it printed last, as JSON."""
    command = [str(python), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=_TIMEOUT_S
    )
    return json.loads(done.stdout.splitlines()[-1])


def version(python: Path, package: str) -> str:
    """Return the version of a distribution in an environment."""
    code = "import json, sys, importlib.metadata as m; print(json.dumps(m.version(sys.argv[1])))"
    return str(ask(python, "-c", code, package))


def clients() -> Iterator[str]:
    """Yield the section on the clients of byte protocols."""
    tests: Any = import_module("test_clients")
    python = python_of(".venv-clients")
    yield "## Clients of the instruments that speak in bytes"
    yield (
        "Each script uses a client as its package comes, over a socket to the simulator. Below it"
        " stands what it found, and the start of the conversation where it was kept as a tape"
        " (`tests/clients/record_tapes.py`)."
    )
    for client in CLIENT_TABLE:
        with tests.running_rig() as rig:
            found = tests.run(python, f"client_{client.script}", rig, client.instrument)
        name = f"{client.package} {version(python, client.package)}"
        yield f"### {name}: `{client.instrument}`, `client_{client.script}.py`"
        yield block("json", folded(found))
        tape = next((ROOT / "tests" / "drivers").rglob(f"tapes/{client.script}.tape"), None)
        if tape is not None:
            yield block("text", conversation(tape))


def conversation(tape: Path) -> str:
    """Return the first lines of a tape, one direction per line."""
    arrows = {"sent": ">", "received": "<"}
    records = [json.loads(line) for line in tape.read_text("utf-8").splitlines()]
    said = [(word, data) for one in records for word, data in one.items() if word in arrows]
    lines = [shortened(f"{arrows[word]} {data!r}") for word, data in said]
    more = len(lines) - _MOST_LINES
    return "\n".join(lines[:_MOST_LINES] + ([f"… {more} more"] if more > 0 else []))


def modules() -> Iterator[str]:
    """Yield the section on the clients of PicoQuant's libraries."""
    tests: Any = import_module("test_picoquant_clients")
    python = python_of(".venv-clients")
    yield "## Clients of PicoQuant's libraries"
    yield (
        "Only the loaded library is another one: its functions, called through ctypes, are those"
        " of the simulated module. Sums of times and counts are those of the words that the module"
        " wrote into the FIFO (`test_picoquant_clients.py`)."
    )
    for package, client, model, arguments in (
        ("qmi", "client_qmi_picoquant", "MH", ("MH",)),
        ("qmi", "client_qmi_picoquant", "HH", ("HH",)),
        ("miniquant", "client_miniquant", "HH", ()),
    ):
        clock = RealClock()
        try:
            _, found = tests.drive(python, clock, model, client, *arguments)
        finally:
            clock.close()
        found.pop("histograms", None)
        yield f"### {package} {version(python, package)}: {model}, `{client}.py`"
        yield block("json", folded(found))


def files(product: Path) -> Iterator[str]:
    """Yield the sections on the files of a run."""
    yield "## One raw file, four readers"
    path = sorted(product.parent.glob("*.ptu"))[-1]
    python = python_of(".venv-clients")
    (read,) = ask(python, CLIENTS / "client_ptu_readers.py", "all", path)
    read = {"labctl": ours(path), **read}
    versions = {name: version(python, name) for name in read if name != "labctl"}
    yield (
        f"A decay of the run below ({path.stat().st_size / 1e6:.2f} MB). For each channel: photons,"
        " sum of sync numbers, sum of delays in bins."
    )
    rows = [
        "| reader | channel | photons | sum of syncs | sum of delays |",
        "|---|---|---|---|---|",
    ]
    for name, channels in read.items():
        for channel, numbers in channels.items():
            cells = (f"{name} {versions.get(name, '')}".strip(), channel, *map(str, numbers))
            rows.append(f"| {' | '.join(cells)} |")
    yield "\n".join(rows)
    yield "## The product"
    nexus = python_of(".venv-nexus")
    valid = ask(nexus, NEXUS / "validate_product.py", product)
    verdict = "a valid" if valid else "NOT a valid"
    yield (
        f"`{read_run(product).name}`, made by `labctl demo`: pynxtools"
        f" {version(nexus, 'pynxtools')} says that it is {verdict} `NXoptical_spectroscopy`."
        " What silx and nexusformat plot by themselves:"
    )
    for name in ("silx", "nexusformat"):
        found = ask(nexus, NEXUS / f"{name}_default.py", product)
        yield f"{name} {version(nexus, name)}:"
        yield block("json", folded(found))
    ask(nexus, NEXUS / "nexusformat_picture.py", product, PAGE.parent / PICTURE)
    yield f"![The default plot, drawn by nexusformat]({PICTURE})"


def ours(path: Path) -> dict[str, list[int]]:
    """Return photons, sums of sync numbers and of delays by channel, as labctl reads them."""
    file = read_ptu(path)
    photons = Decoder(file.stream).feed(file.records())
    found: dict[str, list[int]] = {}
    for channel in np.unique(photons.channel):
        mine = photons.channel == channel
        sums = [sum(map(int, values[mine])) for values in (photons.time_ticks, photons.delay_bins)]
        found[str(channel)] = [int(mine.sum()), *sums]
    return found


def folded(found: Any) -> str:
    """Return JSON, one key of the outermost object per line, long ones shortened."""
    lines = [shortened(f"{json.dumps(key)}: {json.dumps(value)}") for key, value in found.items()]
    return "\n".join(lines)


def shortened(line: str) -> str:
    """Return a line of at most the longest length."""
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def block(language: str, text: str) -> str:
    """Return a block of code in Markdown."""
    return f"```{language}\n{text}\n```"


def main(product: Path) -> None:
    """Write the page."""
    sys.path[:0] = [str(CLIENTS), str(ROOT / "tests" / "support"), str(ROOT / "tests")]
    head = ["# What other programs say", "Written by `tools/other_programs.py`; do not edit."]
    parts = [*head, *files(product), *modules(), *clients()]
    PAGE.write_text("\n\n".join(parts) + "\n", "utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
