"""The sample files that come with the project."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from labctl_sim.sample import Sample, check_sample, load_sample
from labctl_sim.world._line_energy import sizing_energy_ev

FILES = sorted((Path(__file__).parents[2] / "configs" / "samples").glob("*.yaml"))


def read(path: Path) -> Any:
    yaml: Any = YAML(typ="safe")
    return yaml.load(path)


def sample(name: str) -> Sample:
    return load_sample(read(FILES[0].parent / f"{name}.yaml"))


def test_the_batches_of_the_papers_are_there() -> None:
    names = {path.stem for path in FILES}
    sizes = {f"cspbbr3_{size}nm" for size in (7, 9, 13, 16, 23, 30)}
    assert sizes | {"cspbbrcl3_30nm", "fapbbr3"} <= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_valid_and_has_dots_to_choose_from(path: Path) -> None:
    data = read(path)
    assert check_sample(data) == []
    loaded = load_sample(data)
    assert 8 <= len(loaded.dots) <= 14
    places = np.array([dot.position_um[:2] for dot in loaded.dots.values()])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 99 * np.eye(len(places))
    assert float(apart.min()) > 2.0, "no two dots in one spot"


@pytest.mark.parametrize(
    ("name", "lifetime_ps", "sd_ps"),
    [("cspbbr3_7nm", 540, 100), ("cspbbr3_23nm", 170, 50), ("cspbbr3_30nm", 180, 40),
     ("cspbbrcl3_30nm", 120, 20)],
)  # fmt: skip
def test_lifetimes_scatter_as_in_the_paper(name: str, lifetime_ps: float, sd_ps: float) -> None:
    lifetimes = [dot.lifetime_ps for dot in sample(name).dots.values()]
    # Ten to twelve dots; bound three standard errors.
    assert float(np.mean(lifetimes)) == pytest.approx(lifetime_ps, abs=3 * sd_ps / 10**0.5)


def test_energies_of_the_thirty_nanometre_batches() -> None:
    for name, energy_ev in (("cspbbr3_30nm", 2.338), ("cspbbrcl3_30nm", 2.502)):
        law = sample(name).laws.sizing
        assert sizing_energy_ev(law, 30.0) == pytest.approx(energy_ev, abs=5e-4)


def test_the_dots_the_papers_show() -> None:
    series = sample("cspbbr3_23nm").dot("A7")
    assert series.edge_length_nm == 23.0
    assert series.populations == (1.0, 0.0, 0.0)
    assert sample("cspbbr3_30nm").dot("C5").fine_splitting_mev == 1.06
    assert sample("fapbbr3").laws.phase_transition is not None
    assert min(dot.lifetime_ps for dot in sample("cspbbrcl3_30nm").dots.values()) == 80.0
