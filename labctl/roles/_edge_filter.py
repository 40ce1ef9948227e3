"""Edge filter: a short-pass filter whose edge is tuned by tilting it."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from labctl.errors import RefusedError
from labctl.optics import EdgeFacts, edge_angle_deg, edge_wavelength_nm, short_pass_density
from labctl.roles._base import Instrument, Limits, SettableSpec
from labctl.units import format_quantity

__all__ = ["EdgeFacts", "EdgeFilter", "EdgeShape"]


@dataclass(frozen=True)
class EdgeShape:
    """What the data sheet says of the filter's curve.

    Attributes:
        width_nm: From 90 to 10 % transmission, nm.
        blocking_od: Optical density on the blocking side.
    """

    width_nm: float = 3.5
    blocking_od: float = 5.0


class EdgeFilter(Instrument):
    """Base of tunable short-pass filters. Wavelengths in nm, in air; angles of the mount in deg.

    What is believed of the filter comes from the set-up, until a calibration says it better.
    """

    role: ClassVar[str] = "edge_filter"
    settables = {"edge": SettableSpec("nm", Limits(200.0, 2000.0), 120.0, 0.2)}
    readables = {"edge": "nm", "angle": "deg"}
    calibrated_by = {"edge": ("edge_filter",)}

    def __init__(
        self,
        name: str,
        facts: EdgeFacts,
        shape: EdgeShape,
        tilts: Limits,
        limits: Mapping[str, Limits] | None = None,
    ) -> None:
        """Know the filter.

        Args:
            name: Its name in the set-up.
            facts: What is believed of it.
            shape: Its curve.
            tilts: Usable tilt from normal incidence, deg; 0 to 90.
            limits: Narrower limits of the set-up.
        """
        super().__init__(name, limits)
        self.facts, self.shape, self.tilts = facts, shape, tilts

    @abstractmethod
    def _write_angle_deg(self, angle_deg: float) -> None:
        """Start the move of the mount to an angle, 0 (included) to 360 (excluded)."""

    @abstractmethod
    def edge_arrived(self) -> bool:
        """Ask whether a started move has ended."""

    @abstractmethod
    def read_angle(self) -> float:
        """Return the angle of the mount, deg."""

    @abstractmethod
    def in_path(self) -> bool:
        """Ask whether the filter stands in the light."""

    def use_calibration(self, name: str, result: Mapping[str, Any]) -> None:
        """Believe measured facts from now on."""
        del name
        self.use_facts(
            EdgeFacts(
                float(result["normal_edge_nm"]), float(result["index"]), float(result["offset_deg"])
            )
        )

    def use_facts(self, facts: EdgeFacts) -> None:
        """Believe a calibration from now on."""
        self.facts = facts

    def limits(self, quantity: str) -> Limits:
        """Return the range of a settable; that of the edge is what the usable tilts reach."""
        asked = super().limits(quantity)
        if quantity != "edge":
            return asked
        low, high = (
            self.edge_at_nm(self.facts.offset_deg + tilt_deg)
            for tilt_deg in (self.tilts.high, self.tilts.low)
        )
        return Limits(max(asked.low, low), min(asked.high, high))

    def start_edge(self, edge_nm: float) -> None:
        """Check the limits and start the move.

        Raises:
            RefusedError: Out of the limits, or out of reach of the tilt; nothing was sent.
        """
        self.check("edge", edge_nm)
        try:
            angle_deg = edge_angle_deg(edge_nm, self.facts)
        except ValueError as error:
            command = f"edge = {format_quantity(edge_nm, 'nm')}"
            raise RefusedError(self.name, command, str(error)) from error
        self._write_angle_deg(angle_deg % 360.0)

    def edge_at_nm(self, angle_deg: float) -> float:
        """Return where the edge is believed to lie at an angle of the mount, nm."""
        return edge_wavelength_nm(angle_deg, self.facts)

    def read_edge(self) -> float:
        """Return where the edge is believed to lie now, nm, in the path or not."""
        return self.edge_at_nm(self.read_angle())

    def optical_density(self, wavelength_nm: float) -> float:
        """Return the believed optical density at the present angle; 0 out of the path."""
        if not self.in_path():
            return 0.0
        shape = self.shape
        density = short_pass_density(
            wavelength_nm, self.read_edge(), shape.width_nm, shape.blocking_od
        )
        return float(density)
