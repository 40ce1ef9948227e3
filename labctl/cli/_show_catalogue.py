"""Part of ``labctl show``: the catalogue of a sample's dots, from its file."""

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from labctl.cli._say import say_data, screen
from labctl.errors import ConfigError, Problem
from labctl.measurements import CATALOGUE

__all__ = ["show_catalogue"]


def show_catalogue(path: Path, *, as_json: bool) -> None:
    """List the dots of every sample in a file of catalogues.

    Raises:
        ConfigError: It cannot be read, or is no such file.
    """
    samples = _read(path)
    if as_json:
        say_data(samples)
        return
    for sample, record in samples.items():
        looks = record["looks"]
        screen().print(f"{sample}: {len(record['dots'])} dots, looked at {len(looks)} times")
        screen().print(_table(record))


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["name"] == CATALOGUE:
            return dict(data["results"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError([Problem(f"no catalogue: {error}", str(path))]) from error
    hint = "the set-up names the file under 'calibrations: {dots: …}'"
    raise ConfigError([Problem(f"holds {data['name']!r}, no catalogue", str(path), hint)])


def _table(record: dict[str, Any]) -> Table:
    titles = (
        "dot",
        "x / um",
        "y / um",
        "brightness / Hz",
        "seen",
        "last",
        "moved / um",
        "dose / uJ/cm²",
        "",
    )
    table = Table(*titles)
    missing = set(record["looks"][-1]["missing"])
    for name, dot in record["dots"].items():
        last = dot["history"][-1]
        moved_um = (last["moved_x_um"] ** 2 + last["moved_y_um"] ** 2) ** 0.5
        table.add_row(
            name,
            f"{dot['x_um']:.2f}",
            f"{dot['y_um']:.2f}",
            f"{dot['brightness_hz']:.3g}",
            str(len(dot["history"])),
            str(dot["last_seen"])[:10],
            f"{moved_um:.2f}",
            f"{dot.get('dose_uj_cm2', 0.0):.3g}",
            "missing" if name in missing else "",
        )
    return table
