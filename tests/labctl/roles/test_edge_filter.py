"""Edge filters: limits from the tilt, angles from what is believed, densities."""

from typing import Any

import pytest

from labctl.errors import RefusedError
from labctl.optics import edge_wavelength_nm
from labctl.roles import EdgeFacts, EdgeFilter, EdgeShape, Identity, Limits, OpticalFilter


class Filter(EdgeFilter):
    """A filter that stands at once where it is told to."""

    def __init__(self, limits: dict[str, Limits] | None = None) -> None:
        facts = EdgeFacts(561.0, 1.92, 3.0)
        super().__init__("edge", facts, EdgeShape(3.5, 5.0), Limits(5.0, 60.0), limits)
        self.orders: list[float] = []
        self.angle_deg, self.inside = 3.0, True

    def identity(self) -> Identity:
        return Identity("nobody", "filter")

    def snapshot(self) -> dict[str, Any]:
        return {}

    def edge_arrived(self) -> bool:
        return True

    def read_angle(self) -> float:
        return self.angle_deg

    def in_path(self) -> bool:
        return self.inside

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None

    def _write_angle_deg(self, angle_deg: float) -> None:
        self.orders.append(angle_deg)
        self.angle_deg = angle_deg


def test_an_edge_becomes_an_angle_and_back() -> None:
    edge = Filter()
    for edge_nm in (505.0, 530.0, 555.0):
        settable = edge.settable("edge")
        settable.start(edge_nm)
        assert edge_wavelength_nm(edge.orders[-1], edge.facts) == pytest.approx(edge_nm)
        assert settable.confirm(edge_nm) == pytest.approx(edge_nm)


def test_limits_are_what_the_tilt_reaches() -> None:
    limits = Filter().limits("edge")
    assert (limits.low, limits.high) == pytest.approx((500.70, 560.42), abs=0.01)
    limits = Filter({"edge": Limits(520.0, 600.0)}).limits("edge")
    assert (limits.low, limits.high) == pytest.approx((520.0, 560.42), abs=0.01)


@pytest.mark.parametrize("edge_nm", [500.0, 561.0, 600.0, float("nan"), float("inf")])
def test_nothing_moves_for_an_edge_out_of_reach(edge_nm: float) -> None:
    edge = Filter()
    with pytest.raises(RefusedError, match="edge"):
        edge.start_edge(edge_nm)
    assert edge.orders == []


def test_a_calibration_is_believed() -> None:
    edge = Filter()
    edge.start_edge(530.0)
    edge.use_facts(EdgeFacts(563.0, 1.90, 1.0))
    assert edge.read_edge() != pytest.approx(530.0, abs=1.0)
    edge.start_edge(530.0)
    assert edge.read_edge() == pytest.approx(530.0)


def test_it_tells_its_optical_density() -> None:
    edge = Filter()
    assert isinstance(edge, OpticalFilter)
    edge.start_edge(530.0)
    assert edge.optical_density(405.0) == pytest.approx(0.0, abs=1e-9)
    assert edge.optical_density(530.0) == pytest.approx(0.301, abs=1e-3)
    assert edge.optical_density(600.0) == pytest.approx(5.0)
    edge.inside = False
    assert edge.optical_density(600.0) == 0.0
