"""Calibration lamps: wavelengths in standard air, nm, and relative strengths.

Wavelengths as in the NIST Atomic Spectra Database (observed wavelengths in air) for Ne I, Hg I
and Ar I; the strengths are rounded from there and only rank the lines. A pencil lamp's lines
are far narrower than any monochromator's resolution.
"""

from typing import NamedTuple

import numpy as np

from labctl_sim.world._types import FloatArray


class LampLine(NamedTuple):
    """One line of a lamp."""

    air_nm: float
    strength: float


_NEON = (
    (503.13504, 25), (503.77512, 50), (511.36724, 15), (511.65032, 15), (514.49384, 50),
    (518.86122, 15), (533.07775, 60), (534.10938, 100), (534.32834, 40), (540.05616, 200),
    (556.27660, 50), (565.66588, 50), (571.92248, 50), (574.82985, 50), (576.44188, 70),
    (580.44496, 50), (582.01558, 50), (585.24878, 400), (588.18950, 150), (594.48340, 150),
    (597.55343, 60), (602.99968, 100), (607.43376, 150), (609.61630, 180), (614.30627, 220),
    (616.35937, 120), (621.72812, 110), (626.64952, 160), (630.47893, 50), (633.44276, 170),
    (638.29914, 190), (640.22480, 400), (650.65277, 260), (653.28824, 100), (659.89528, 140),
    (667.82766, 180), (671.70430, 90), (692.94672, 300), (703.24128, 500), (717.39380, 200),
    (724.51665, 260), (743.88981, 160), (748.88712, 150), (753.57739, 150),
)  # fmt: skip

_MERCURY = (
    (365.0158, 700), (404.6565, 500), (407.7837, 60), (435.8335, 900), (491.6070, 8),
    (546.0750, 900), (576.9610, 240), (579.0670, 260),
)  # fmt: skip

_ARGON = (
    (415.8590, 40), (420.0674, 40), (427.2169, 15), (430.0101, 12), (451.0733, 12),
    (516.2285, 2), (518.7746, 4), (522.1271, 2), (542.1352, 2), (545.1652, 4),
    (549.5874, 8), (555.8702, 10), (560.6733, 10), (565.0704, 8), (591.2085, 10),
    (603.2127, 14), (641.6307, 14), (667.7282, 20), (696.5431, 300), (706.7218, 300),
    (714.7042, 50), (727.2936, 80), (738.3980, 250), (750.3869, 500), (751.4652, 400),
    (763.5106, 700), (772.3761, 300), (772.4207, 250), (794.8176, 400), (800.6157, 400),
    (801.4786, 500), (810.3693, 450), (811.5311, 800), (826.4522, 250), (840.8210, 350),
    (842.4648, 450),
)  # fmt: skip

_TABLES = {"neon": _NEON, "mercury": _MERCURY, "argon": _ARGON}
HALOGEN = "halogen"
"""White; it stands in the place of the sample, before all filters of the collected light."""
LAMPS = (*_TABLES, HALOGEN)
_SECOND_RADIATION_NM_K = 1.438776877e7
_PEAK_NM = 560.0


def halogen_rel(wavelength_nm: FloatArray, temperature_k: float) -> FloatArray:
    """Photons per nm of a black body (Planck) against those at 560 nm."""
    light, reference = (
        nm**-4.0 / np.expm1(_SECOND_RADIATION_NM_K / (nm * temperature_k))
        for nm in (wavelength_nm, np.array(_PEAK_NM))
    )
    return light / reference


def lamp_lines(lamp: str) -> list[LampLine]:
    """Lines of a lamp, strengths against the strongest one.

    Raises:
        ValueError: there is no such lamp.
    """
    if lamp not in _TABLES:
        raise ValueError(f"no lamp {lamp!r}; there are {', '.join(LAMPS)}")
    strongest = max(strength for _, strength in _TABLES[lamp])
    return [LampLine(air_nm, strength / strongest) for air_nm, strength in _TABLES[lamp]]
