"""Samples with more dots than the shipped ones, drawn from their dots."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from labctl.setup import load_yaml

__all__ = ["BATCHES", "CONFIGS", "central", "crowded", "sample_name", "shipped"]

CONFIGS = Path(__file__).parents[2] / "configs"
BATCHES = (
    "cspbbr3_7nm",
    "cspbbr3_9nm",
    "cspbbr3_13nm",
    "cspbbr3_16nm",
    "cspbbr3_23nm",
    "cspbbr3_30nm",
    "cspbbrcl3_30nm",
)
"""The batches of Zhu 2024, Fig. 2."""
_HALF_UM = 14.0
_APART_UM = 2.0
_MOST_TRIES = 100_000


def shipped(batch: str) -> Path:
    """Return the sample file of a batch."""
    return CONFIGS / "samples" / f"{batch}.yaml"


def sample_name(path: Path) -> str:
    """Return the name of a sample."""
    return str(load_yaml(path).data["name"])


def central(sample: Path) -> str:
    """Return the dot that is nearest to the origin of the sample."""
    places = {name: dot["position"] for name, dot in load_yaml(sample).data["dots"].items()}

    def off_um(name: str) -> float:
        x_um, y_um = (float(str(um).split()[0]) for um in places[name][:2])
        return float(np.hypot(x_um, y_um))

    return min(places, key=off_um)


def crowded(batch: str, dots: int, folder: Path) -> Path:
    """Write a sample with so many dots, each like one of the batch but elsewhere.

    Dots lie at least 2 um apart within 28 um x 28 um; lifetimes scatter by 5 %, sizes by 1 %.
    """
    chance = np.random.default_rng([20261129, BATCHES.index(batch)])
    data = dict(load_yaml(shipped(batch)).data)
    parents = list(data["dots"].values())
    # The first one is in the spot when a survey begins.
    places = [(0.0, 0.0)]
    for _ in range(_MOST_TRIES):
        x, y = (float(um) for um in chance.uniform(-_HALF_UM, _HALF_UM, 2))
        if all(np.hypot(x - a, y - b) >= _APART_UM for a, b in places):
            places.append((x, y))
        if len(places) == dots:
            break
    data["dots"] = {
        f"S{n:03d}": _like(parents[int(chance.integers(len(parents)))], x, y, chance)
        for n, (x, y) in enumerate(places, 1)
    }
    path = folder / f"{batch}.yaml"
    path.write_text(json.dumps(data, indent=1), "utf-8")
    return path


def _like(parent: dict[str, Any], x: float, y: float, chance: np.random.Generator) -> Any:
    z = float(chance.normal(0.0, 0.1))
    return {
        **parent,
        "position": [f"{x:.3f} um", f"{y:.3f} um", f"{z:.3f} um"],
        "lifetime": _scattered(parent["lifetime"], 0.05, chance),
        "edge_length": _scattered(parent["edge_length"], 0.01, chance),
    }


def _scattered(quantity: str, share: float, chance: np.random.Generator) -> str:
    number, unit = str(quantity).split()
    return f"{float(number) * (1.0 + share * float(chance.normal())):.2f} {unit}"
