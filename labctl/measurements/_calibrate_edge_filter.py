"""The calibration ``edge_filter``: edge, effective index and zero of a tilted short-pass filter."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import EdgeCurve, fit_edge_curve, fit_edge_tilts
from labctl.measurements._context import Array, Context
from labctl.measurements._dispersion import dispersion
from labctl.measurements._lamp_frames import WhiteLamp, lamp_lit, tuned
from labctl.measurements._paths import take_path
from labctl.measurements._settings import point_settings
from labctl.roles import Camera, EdgeFilter
from labctl.units import Nanometers

__all__ = ["CalibrateEdgeFilter"]

_MOVE_S = 2.0
_LIT_REL = 0.05
_MOUNT_DEG = 0.01
"""How well the angle of a mount is known besides its zero, standard deviation (assumed)."""

Vector = NDArray[np.float64]


class CalibrateEdgeFilter(WhiteLamp):
    """White light through the filter at several tilts, against that without it.

    A halogen lamp stands in the place of the sample. Where its light is weak is left out. All edges
    must lie on the camera.

    Attributes:
        tilts: Number of tilts.
        reddest_nm: First edge as it is believed, nm.
        bluest_nm: Last one.
        open_path: Light path without the filter.
        path: Light path with it.
    """

    kind: ClassVar[str] = "calibrate_edge_filter"
    needs: ClassVar[tuple[str, ...]] = ("spectrograph", "camera", "lamp", "edge_filter")

    tilts: int = Field(9, ge=4)
    reddest_nm: Nanometers = Field(562.0, gt=0)
    bluest_nm: Nanometers = Field(505.0, gt=0)
    open_path: str = "camera"
    path: str = "camera_filtered"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            grating: str,
            center: str,
            exposure: str,
            frames: int = 5,
            tilts: int = 9,
            reddest: str = "562 nm",
            bluest: str = "505 nm",
            open_path: str = "camera",
            path: str = "camera_filtered",
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``center="540 nm"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return self.tilts * _MOVE_S + (self.tilts + 2) * self.frames * self.exposure_s

    def run(self, context: Context) -> None:
        """Take the lamp without the filter and at each tilt, fit the edges, then their law.

        Raises:
            AnalysisError: An edge lies outside the spectrum, or the lamp is too weak.
        """
        camera = context.station.only(Camera, prefer="camera")
        element = context.station.only(EdgeFilter, prefer="edge_filter")
        take_path(context, self.open_path, "camera", [camera.name])
        at = tuned(context, self.grating_per_mm, self.center_nm)
        calibration = dispersion(context, at.spectrograph, camera)
        dark = self.look(context, camera)
        with lamp_lit(context, "halogen"):
            whole = self.look(context, camera) - dark.mean(axis=0)
            path = take_path(context, self.path, "camera_filtered", [camera.name])
            angles: list[float] = []
            passed: list[Vector] = []
            # From red to blue the mount turns one way, so that it has no slack.
            for edge_nm in np.linspace(self.reddest_nm, self.bluest_nm, self.tilts).tolist():
                context.move(element.settable("edge"), edge_nm)
                angles.append(element.read_angle())
                passed.append(self.look(context, camera) - dark.mean(axis=0))
        axis_nm = calibration.region_nm(0, dark.shape[1], at.centre_nm)
        curves = [_edge(axis_nm, frames, whole) for frames in passed]
        axis_error_nm = calibration.wavelength_error_nm(
            np.arange(axis_nm.size, dtype=np.float64), at.centre_nm
        )
        result = _law(np.array(angles), curves, axis_nm, axis_error_nm)
        result["calibrated_at"] = context.clock.utc().isoformat()
        context.calibrated("edge_filter", element.name, result)
        shares = np.array([frames.mean(axis=0) for frames in passed]) / np.maximum(
            whole.mean(axis=0), 1.0
        )
        context.store(
            [
                Array("transmission", shares, "", ("angle", "x")),
                Array("wavelength", axis_nm, "nm", ("x",)),
                Array("angle", np.array(angles), "deg", ("angle",)),
                Array("edge", np.array([c.edge_nm.value for c in curves]), "nm", ("angle",)),
            ],
            settings={
                "path": path,
                **point_settings(context, at.standing, camera, calibration, self.frames),
            },
            live_time_s=(self.tilts + 1) * self.frames * self.exposure_s,
            brief=f"edge {result['normal_edge_nm']:.2f} nm at normal incidence, index "
            f"{result['index']:.4f}, zero {result['offset_deg']:.2f} deg",
        )


def _edge(axis_nm: Vector, frames: Vector, whole: Vector) -> EdgeCurve:
    """Return the edge in frames with the filter, against those without."""
    part, all_of_it = np.median(frames, axis=0), np.median(whole, axis=0)
    lit = all_of_it > _LIT_REL * all_of_it.max()
    # Scatter of the median about the mean of many equal values: pi / 2.
    spread = [0.5 * np.pi * each.var(axis=0, ddof=1).mean() / len(each) for each in (frames, whole)]
    share = part[lit] / all_of_it[lit]
    variance = (spread[0] + share**2 * spread[1]) / all_of_it[lit] ** 2
    return fit_edge_curve(axis_nm[lit], share, variance)


def _law(
    angle_deg: Vector, curves: list[EdgeCurve], axis_nm: Vector, axis_error_nm: Vector | None
) -> dict[str, Any]:
    """Return what is kept; the error of the axis moves all edges together."""
    edge_nm = np.array([curve.edge_nm.value for curve in curves])
    slope_nm_deg: Vector = np.abs(np.asarray(np.gradient(edge_nm, angle_deg), dtype=np.float64))
    error_nm = np.hypot([curve.edge_nm.error for curve in curves], _MOUNT_DEG * slope_nm_deg)
    law = fit_edge_tilts(angle_deg, edge_nm, error_nm)
    common_nm = 0.0
    if axis_error_nm is not None:
        middle = int(np.argmin(np.abs(axis_nm - edge_nm.mean())))
        common_nm = float(axis_error_nm[middle])
    normal = law.normal_edge_nm.plus_systematic(common_nm)
    widths = np.array([curve.width_nm.value for curve in curves])
    return {
        "normal_edge_nm": normal.value,
        "normal_edge_error_nm": normal.error,
        "index": law.index.value,
        "index_error": law.index.error,
        "offset_deg": law.offset_deg.value,
        "offset_error_deg": law.offset_deg.error,
        "width_nm": float(np.median(widths)),
        "reduced_chi2": law.reduced_chi2,
        "edges": [asdict(curve.edge_nm) for curve in curves],
        "angles_deg": angle_deg.tolist(),
    }
