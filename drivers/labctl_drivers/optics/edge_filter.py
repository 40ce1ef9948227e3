"""Tunable short-pass edge filter on a rotation mount."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from labctl.roles import EdgeFacts, EdgeFilter, EdgeShape, Identity, Limits
from labctl.transport import LibraryLink
from labctl.units import Degrees, Nanometers
from labctl_drivers.optics._mounted import OnSlide, OnSlideSettings

__all__ = ["TiltedEdgeFilter", "TiltedEdgeFilterSettings"]

Tilt = Annotated[Degrees, Field(ge=0, le=85)]


class TiltedEdgeFilterSettings(OnSlideSettings):
    """Keys of a tunable short-pass filter in the set-up file.

    Attributes:
        rotator: The mount that tilts it.
        slide: Selector that moves it in and out of the light; empty: it always stands in it.
        slide_position: Position of the selector in which it stands in the light.
        normal_edge: Edge at normal incidence, nm.
        index: Effective refractive index of its coating.
        zero: Angle of the mount at normal incidence, deg.
        least_tilt: Smallest usable tilt, deg; close to 0 the reflection goes back to the sample.
        most_tilt: Largest usable tilt, deg.
        width: From 90 to 10 % transmission, nm.
        blocking_density: Optical density on the blocking side.
    """

    normal_edge: Annotated[Nanometers, Field(gt=0)] = 565.0
    index: Annotated[float, Field(gt=1, lt=5)] = 1.81
    zero: Degrees = 0.0
    least_tilt: Tilt = 0.0
    most_tilt: Tilt = 60.0
    width: Annotated[Nanometers, Field(gt=0)] = 3.5
    blocking_density: Annotated[float, Field(gt=0)] = 5.0

    @model_validator(mode="after")
    def _some_tilt(self) -> "TiltedEdgeFilterSettings":
        if self.least_tilt >= self.most_tilt:
            raise ValueError("least_tilt is not less than most_tilt")
        return self


class TiltedEdgeFilter(EdgeFilter, OnSlide[TiltedEdgeFilterSettings]):
    """Driver of the filter: calculates angles, and lets the mount turn."""

    settings_type = TiltedEdgeFilterSettings

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: TiltedEdgeFilterSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is believed; ``link`` has nothing to say."""
        super().__init__(
            name,
            EdgeFacts(settings.normal_edge, settings.index, settings.zero),
            EdgeShape(settings.width, settings.blocking_density),
            Limits(settings.least_tilt, settings.most_tilt),
            limits,
        )
        self.settings = settings

    def identity(self) -> Identity:
        """Return what tilts it."""
        return Identity("optics", f"tunable short-pass filter on {self.settings.rotator}")

    def snapshot(self) -> dict[str, Any]:
        """Return where the edge is believed to lie, and from what."""
        angle_deg = self.read_angle()
        return {
            "edge_nm": self.edge_at_nm(angle_deg),
            "angle_deg": angle_deg,
            "in_path": self.in_path(),
            "rotator": self.settings.rotator,
            "normal_edge_nm": self.facts.normal_edge_nm,
            "index": self.facts.index,
            "offset_deg": self.facts.offset_deg,
            "width_nm": self.shape.width_nm,
            "blocking_od": self.shape.blocking_od,
        }

    def read_angle(self) -> float:
        """Return the angle of the mount, deg."""
        return self.mount().read_angle()

    def in_path(self) -> bool:
        """Ask whether the filter stands in the light."""
        return self.stands_in_light()

    def edge_arrived(self) -> bool:
        """Ask whether the mount has arrived."""
        return self.mount().angle_arrived()

    def _write_angle_deg(self, angle_deg: float) -> None:
        self.mount().start_angle(angle_deg)
