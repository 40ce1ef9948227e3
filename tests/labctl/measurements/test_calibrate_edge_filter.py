"""Edge, index and zero of the tilted filter against those of the simulated world."""

import json
from pathlib import Path
from typing import Any

import pytest

import labctl
from labctl.measurements import CalibrateEdgeFilter, CalibrateWavelength
from labctl.roles import Selector
from small_setup import ROOT

SETUP = ROOT / "configs" / "setups" / "microscope.yaml"
SEEDS = range(5)
# A mount's home is 1.7 deg off x, the filter stands normal to the light at 0.6 deg.
TRUTH = {"normal_edge_nm": 565.9, "index": 1.825, "offset_deg": 2.3}
ERRORS = {"normal_edge_nm": "normal_edge_error_nm", "index": "index_error"}
pytestmark = pytest.mark.timeout(180)


def edge_off_nm(lab: Any, wanted_nm: float) -> float:
    """Tilt to an edge; return how far the true one is from it."""
    lab.set("edge_filter.edge", wanted_nm)
    return float(lab._connection.rig.world.table.edge_filter_nm) - wanted_nm


@pytest.mark.parametrize("seed", SEEDS)
def test_the_edge_is_where_it_is_asked_for(tmp_path: Path, seed: int) -> None:
    """Before: more than 0.5 nm off. Then within 0.15 nm, the slack of the mount; each number
    within three of its standard errors."""
    with labctl.station(SETUP, simulate=True, out=tmp_path, seed=seed) as lab:
        lab.station.get("edge_slide", Selector).start_position("in")
        before_nm = edge_off_nm(lab, 530.0)
        with lab.run("edge"):
            lab.measure(
                CalibrateWavelength(grating="300/mm", center="560 nm", exposure="0.5 s", frames=10)
            )
            lab.measure(CalibrateEdgeFilter(grating="300/mm", center="540 nm", exposure="50 ms"))
        assert abs(before_nm) > 0.5
        for wanted_nm in (510.0, 530.0, 550.0):
            assert abs(edge_off_nm(lab, wanted_nm)) < 0.15
    (file,) = tmp_path.rglob("calibrations/microscope/edge_filter.json")
    result: dict[str, Any] = json.loads(file.read_text("utf-8"))["results"]["edge_filter"]
    for name, truth in TRUTH.items():
        error = result[ERRORS.get(name, "offset_error_deg")]
        assert abs(result[name] - truth) < 3.0 * error
    assert result["normal_edge_error_nm"] < 0.05
    assert result["index_error"] < 0.002
    assert result["offset_error_deg"] < 0.1
    assert result["width_nm"] == pytest.approx(3.5, abs=0.05)
