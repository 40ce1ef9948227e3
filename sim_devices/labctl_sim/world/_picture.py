"""Light on the sensor of a camera behind the spectrograph, before any noise."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from labctl_sim.world._air import air_index
from labctl_sim.world._analyser import Analyser
from labctl_sim.world._collection import edge_transmission
from labctl_sim.world._constants import HC_EV_NM
from labctl_sim.world._emission import Band
from labctl_sim.world._grating import Mount, behind_mirror, blaze_rel, grating_polarization_rel
from labctl_sim.world._lamps import HALOGEN, halogen_rel, lamp_lines
from labctl_sim.world._line_spread import blur, observed_fwhm_px, sharp_line
from labctl_sim.world._recorded import Recorded
from labctl_sim.world._shapes import lorentz_shares, urbach_density
from labctl_sim.world._special import erf
from labctl_sim.world._spectrograph import DEFAULT_SLIT_UM, SpectrographState
from labctl_sim.world._types import FloatArray

_PER_PIXEL = 4
_SHORTEST_NM = 200.0
_TYPICAL_NM = 530.0
_NONE = Analyser()


class Emitter(NamedTuple):
    """One dot as the spectrograph sees it."""

    bands: tuple[Band, ...]
    diffusion_sd_ev: float
    photons_hz: float
    """Multiplies photons per pulse: repetition rate times collection."""


@dataclass(frozen=True)
class Scene:
    """Everything that shines, and the loose filters in its way."""

    emitters: tuple[Emitter, ...]
    analyser: Analyser
    edge_filter_nm: float | None
    lamp: str | None
    leak_photons_hz: float
    leak_nm: float
    room_light_rel: float
    recorded: Recorded | None = None
    """Shown in the place of emitters."""
    recorded_rel: float = 1.0
    """How bright against the recording."""
    leak_deg: float | None = None
    """Direction of the laser light's polarization; None: unpolarized."""


class Picture(NamedTuple):
    """Photons arriving per second, by where on the sensor they fall; recorded light apart."""

    dot: FloatArray
    """Per column, within the narrow band of rows of a point source; shape (columns,)."""
    leak: FloatArray
    """Laser light, same place as the dot's."""
    lamp: FloatArray
    """Per column, over all rows that the slit lights."""
    room_hz: float
    """Per pixel of the lit rows."""
    stray_dot_hz: float
    """Per pixel of the sensor, light of the dot."""
    stray_hz: float
    """Per pixel of the sensor, other light."""
    recorded: FloatArray
    """Electrons per second and column of a recorded spectrum, in the rows of a point source."""


class Optics:
    """One spectrograph state seen by one sensor: the axis and its transfer."""

    def __init__(self, state: SpectrographState, pixel_um: float, columns: int, rows: int) -> None:
        """Prepare the axis; nothing here depends on the light."""
        self._truth = state.truth
        self._blaze_nm = state.blaze_nm
        self._lines_per_mm = state.lines_per_mm
        self._columns = columns
        self._pixels_total = columns * rows
        self._slit_um = state.entrance_slit_um
        self._mount = state.mount(pixel_um, columns)
        self._sd_px = state.aberration_sd_um() / pixel_um
        self._slit_px = self._mount.slit_image_px(self._slit_um) if self._mount else 0.0
        self.pixels = np.arange(columns, dtype=np.float64)

    @property
    def mount(self) -> Mount | None:
        """Geometry; None when no light can reach the sensor."""
        return self._mount

    @cached_property
    def colour_nm(self) -> FloatArray:
        """Wavelength on each column for the detector's efficiency; 530 nm about zero order."""
        if self._mount is None:
            return np.full(self._columns, _TYPICAL_NM)
        wavelength_nm = self._mount.wavelength_nm(self.pixels)
        return np.where(wavelength_nm > _SHORTEST_NM, wavelength_nm, _TYPICAL_NM)

    def picture(self, scene: Scene) -> Picture:
        """Where the photons of a scene fall."""
        dot = np.zeros(self._columns)
        total_dot_hz = 0.0
        for emitter in scene.emitters:
            dot += self._dot_light(emitter, scene)
            total_dot_hz += emitter.photons_hz * math.fsum(
                band.photons_per_pulse for band in emitter.bands
            )
        total_dot_hz *= self._truth.throughput_rel
        lamp_hz = self._truth.lamp_photons_hz * self._slit_um / DEFAULT_SLIT_UM
        lamp = (
            self._halogen(scene) if scene.lamp == HALOGEN else self._lamp_light(scene.lamp, lamp_hz)
        )
        leak_hz = scene.leak_photons_hz * self.polarization_rel(scene.leak_deg, scene.analyser)
        leak = self._sharp(scene.leak_nm, leak_hz)
        others_hz = leak_hz + float(lamp.sum())
        stray = self._truth.stray_light_rel / self._pixels_total
        room_hz = scene.room_light_rel * self._truth.room_light_photons_hz
        stray_hz = stray * total_dot_hz, stray * others_hz
        return Picture(dot, leak, lamp, room_hz, *stray_hz, self._recorded_light(scene))

    def transmission(self, wavelength_nm: FloatArray, edge_filter_nm: float | None) -> FloatArray:
        """Filters and blaze, for light from the dot; 1 is a perfect path."""
        truth = self._truth
        passed = blaze_rel(wavelength_nm, self._blaze_nm) * edge_transmission(
            wavelength_nm,
            truth.long_pass_nm,
            truth.long_pass_width_nm,
            long_pass=True,
            density=truth.long_pass_density,
        )
        if edge_filter_nm is None:
            return passed
        return passed * self._edge(wavelength_nm, edge_filter_nm)

    def slit_rel(self) -> float:
        """Share of a dot's light through the slit, against the default slit."""
        return self._through(self._slit_um) / self._through(DEFAULT_SLIT_UM)

    def _through(self, slit_um: float) -> float:
        reach = slit_um / (2.0 * math.sqrt(2.0) * self._truth.slit_focus_sd_um)
        return float(erf(np.array(reach)))

    def polarization_rel(self, dipole_deg: float | None, analyser: Analyser = _NONE) -> float:
        """Dichroic, analyser and grating for one line; each is 1 for unpolarized light."""
        ratio = self._truth.dichroic_polarization_ratio
        return math.fsum(
            share * self.analysed_rel(direction_deg, analyser)
            for share, direction_deg in behind_mirror(dipole_deg, ratio)
        )

    def analysed_rel(self, dipole_deg: float | None, analyser: Analyser) -> float:
        """The same behind the dichroic."""
        behind_deg = analyser.behind_deg(dipole_deg)
        passed = analyser.passed_rel(dipole_deg, self._truth.extinction_rel)
        if behind_deg is None:
            return passed
        ratio = self._truth.of_grating("polarization_ratio", self._lines_per_mm)
        return passed * grating_polarization_rel(behind_deg, ratio)

    def observed_fwhm_mev(self, band: Band, diffusion_sd_ev: float) -> float:
        """Width of one line on the sensor; its own width when no light can reach the sensor."""
        _, _, energy_ev = self._axis
        if len(energy_ev) < 2:
            return 1e3 * band.fwhm_ev
        per_pixel_ev = _PER_PIXEL * _step_ev(energy_ev, band.energy_ev)
        sd_px = math.hypot(self._sd_px, diffusion_sd_ev / per_pixel_ev)
        fwhm_px = observed_fwhm_px(band.fwhm_ev / per_pixel_ev, sd_px, self._slit_px)
        return 1e3 * fwhm_px * per_pixel_ev

    def _dot_light(self, emitter: Emitter, scene: Scene) -> FloatArray:
        if self._mount is None:
            return np.zeros(self._columns)
        light = self._zero_order(emitter, scene)
        first, nodes, energy_ev = self._axis
        if len(energy_ev) > 2:
            light += self._spectrum(emitter, scene, first, nodes, energy_ev)
        return light * self._truth.throughput_rel * self.slit_rel()

    def _spectrum(
        self, emitter: Emitter, scene: Scene, first: int, nodes: int, energy_ev: FloatArray
    ) -> FloatArray:
        shares = np.zeros(nodes)
        for band in emitter.bands:
            weight = band.photons_per_pulse * emitter.photons_hz
            weight *= self.polarization_rel(band.dipole_deg, scene.analyser)
            shares[first + 1 : first + len(energy_ev) - 1] += weight * _shares(band, energy_ev)
        pad = self._pad()
        sd_px = math.hypot(self._sd_px, self._diffusion_px(emitter, energy_ev))
        blurred = blur(shares, _PER_PIXEL, self._slit_px, sd_px)
        light = blurred[pad * _PER_PIXEL :: _PER_PIXEL][: self._columns]
        return light * self._path(scene.edge_filter_nm)

    def _recorded_light(self, scene: Scene) -> FloatArray:
        """The recording on this sensor; it counts as taken with default slit and no filter."""
        if scene.recorded is None or self._mount is None:
            return np.zeros(self._columns)
        edges_nm = self._mount.wavelength_nm(np.arange(self._columns + 1, dtype=np.float64) - 0.5)
        light = scene.recorded.between(edges_nm) * scene.recorded_rel * self.slit_rel()
        light *= self.polarization_rel(None, scene.analyser)
        if scene.edge_filter_nm is None:
            return light
        return light * self._edge(0.5 * (edges_nm[1:] + edges_nm[:-1]), scene.edge_filter_nm)

    def _edge(self, wavelength_nm: FloatArray, edge_filter_nm: float) -> FloatArray:
        return edge_transmission(
            wavelength_nm,
            edge_filter_nm,
            self._truth.edge_filter_width_nm,
            long_pass=False,
            density=self._truth.edge_filter_density,
        )

    def _path(self, edge_filter_nm: float | None) -> FloatArray:
        if edge_filter_nm is None or self._mount is None:
            return self._open_path
        wavelength_nm = np.maximum(self._mount.wavelength_nm(self.pixels), _SHORTEST_NM)
        return self._open_path * self._edge(wavelength_nm, edge_filter_nm)

    @cached_property
    def _open_path(self) -> FloatArray:
        """Share that passes to each column without edge filter."""
        if self._mount is None:
            return np.zeros(self._columns)
        wavelength_nm = self._mount.wavelength_nm(self.pixels)
        seen = wavelength_nm > _SHORTEST_NM
        safe_nm = np.where(seen, wavelength_nm, _SHORTEST_NM)
        return np.where(seen, self.transmission(safe_nm, None), 0.0)

    def _zero_order(self, emitter: Emitter, scene: Scene) -> FloatArray:
        """The undiffracted light, through the loose filters; the grating favours no direction."""
        passed = math.fsum(
            band.photons_per_pulse
            * scene.analyser.passed_rel(band.dipole_deg, self._truth.extinction_rel)
            * self._edge_rel(HC_EV_NM / band.energy_ev, scene.edge_filter_nm)
            for band in emitter.bands
        )
        return self._sharp(0.0, self._truth.zero_order_rel * passed * emitter.photons_hz)

    def _edge_rel(self, wavelength_nm: float, edge_filter_nm: float | None) -> float:
        if edge_filter_nm is None:
            return 1.0
        return float(self._edge(np.array(wavelength_nm), edge_filter_nm))

    def _pad(self) -> int:
        return math.ceil(0.5 * self._slit_px + 8.0 * self._sd_px) + 16

    @cached_property
    def _axis(self) -> tuple[int, int, FloatArray]:
        """First usable node, number of nodes, and photon energies from that node on."""
        if self._mount is None:
            return 0, 0, np.zeros(0)
        pad = self._pad()
        nodes = _fast_length((self._columns + 2 * pad) * _PER_PIXEL)
        position = np.arange(nodes) / _PER_PIXEL - pad
        wavelength_nm = self._mount.wavelength_nm(position)
        first = int(np.searchsorted(wavelength_nm, _SHORTEST_NM))
        wavelength_nm = wavelength_nm[first:]
        if self._truth.in_air:
            wavelength_nm = wavelength_nm * air_index(wavelength_nm * 1.00028)
        return first, nodes, HC_EV_NM / wavelength_nm

    def _diffusion_px(self, emitter: Emitter, energy_ev: FloatArray) -> float:
        strongest = max(emitter.bands, key=lambda band: band.photons_per_pulse)
        return emitter.diffusion_sd_ev / (_PER_PIXEL * _step_ev(energy_ev, strongest.energy_ev))

    def _halogen(self, scene: Scene) -> FloatArray:
        """White light from the place of the sample: all filters and the analyser are in its way."""
        if self._mount is None:
            return np.zeros(self._columns)
        edges_nm = self._mount.wavelength_nm(np.arange(self._columns + 1, dtype=np.float64) - 0.5)
        middle_nm = np.maximum(0.5 * (edges_nm[1:] + edges_nm[:-1]), _SHORTEST_NM)
        light = self._truth.halogen_photons_hz * np.abs(np.diff(edges_nm))
        light *= halogen_rel(middle_nm, self._truth.halogen_k) * self._slit_um / DEFAULT_SLIT_UM
        light *= self.polarization_rel(None, scene.analyser)
        return light * self._path(scene.edge_filter_nm)

    def _lamp_light(self, lamp: str | None, strongest_hz: float) -> FloatArray:
        light = np.zeros(self._columns)
        if lamp is not None:
            for line in lamp_lines(lamp):
                blaze = float(blaze_rel(np.array(line.air_nm), self._blaze_nm))
                light += self._sharp(line.air_nm, strongest_hz * line.strength * blaze)
        return light

    def _sharp(self, wavelength_nm: float, photons_hz: float) -> FloatArray:
        light = np.zeros(self._columns)
        centre_px = math.nan if self._mount is None else self._mount.pixel(wavelength_nm)
        reach = 0.5 * self._slit_px + 10.0 * self._sd_px + 2.0
        if photons_hz <= 0.0 or not -reach < centre_px < self._columns + reach:
            return light
        near = slice(max(int(centre_px - reach), 0), max(int(centre_px + reach) + 2, 0))
        shares = sharp_line(self.pixels[near], centre_px, self._slit_px, self._sd_px)
        light[near] = photons_hz * shares
        return light


def _shares(band: Band, energy_ev: FloatArray) -> FloatArray:
    if band.urbach_ev is None:
        return lorentz_shares(energy_ev, band.energy_ev, band.fwhm_ev)
    density = urbach_density(energy_ev, band.energy_ev, band.fwhm_ev, band.urbach_ev)
    return density[1:-1] * 0.5 * (energy_ev[:-2] - energy_ev[2:])


def _step_ev(energy_ev: FloatArray, at_ev: float) -> float:
    """Distance of neighbouring nodes of a falling axis near an energy."""
    index = int(np.searchsorted(-energy_ev, -at_ev))
    index = min(max(index, 1), len(energy_ev) - 1)
    return float(energy_ev[index - 1] - energy_ev[index])


def _fast_length(least: int) -> int:
    """Next length whose prime factors are 2, 3 and 5: fast for Fourier transforms."""
    length = least
    while _without_small_factors(length) != 1:
        length += 1
    return length


def _without_small_factors(number: int) -> int:
    for factor in (2, 3, 5):
        while number % factor == 0:
            number //= factor
    return number
