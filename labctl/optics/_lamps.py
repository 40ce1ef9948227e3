"""Emission lines of calibration lamps, wavelengths in standard air.

Neon and argon: J. E. Sansonetti and W. C. Martin, Handbook of Basic Atomic Spectroscopic
Data (NIST, 2005), persistent and strong lines of the neutral atom.  Mercury: C. J. Sansonetti,
M. L. Salit and J. Reader, Appl. Opt. 35, 74 (1996), pencil lamp, table 2.  Intensities
are those of the tables: good to tell a strong line from a weak one, no more.
"""

from dataclasses import dataclass

from labctl.errors import AnalysisError

__all__ = ["LampLine", "lamp_lines"]


@dataclass(frozen=True)
class LampLine:
    """One emission line.

    Attributes:
        wavelength_nm: In standard air.
        intensity: Relative, within one element.
    """

    wavelength_nm: float
    intensity: float


_NEON = (
    (503.77512, 50), (514.49384, 50), (533.07775, 60), (534.10938, 100), (534.32834, 60),
    (540.05618, 200), (556.27662, 50), (565.66588, 50), (571.92248, 50), (574.82985, 50),
    (576.44188, 70), (580.44496, 50), (582.01558, 50), (585.24879, 200), (587.28275, 50),
    (588.18952, 100), (590.24623, 5), (590.64294, 5), (594.48342, 50), (596.54710, 50),
    (597.46273, 50), (597.55340, 60), (598.79074, 15), (602.99969, 100), (607.43377, 100),
    (609.61631, 30), (612.84499, 10), (614.30626, 100), (616.35939, 100), (618.21460, 15),
    (621.72812, 100), (626.64950, 100), (630.47889, 10), (632.81646, 30), (633.44278, 100),
    (638.29917, 100), (640.22480, 200), (650.65281, 150), (653.28822, 10), (659.89529, 100),
    (665.20927, 15), (667.82762, 50), (671.70430, 7), (692.94673, 1000), (702.40504, 300),
    (703.24131, 800), (705.91074, 100), (717.39381, 800), (724.51666, 800), (743.88981, 300),
    (748.88712, 300), (753.57741, 300), (754.40443, 130),
)  # fmt: skip

_MERCURY = (
    (365.0158, 2800), (365.4842, 300), (366.3284, 200), (404.6565, 1800), (407.7837, 150),
    (434.7506, 60), (435.8335, 4000), (546.0750, 1100), (576.9610, 240), (579.0670, 280),
)  # fmt: skip

_ARGON = (
    (415.8590, 400), (420.0674, 400), (425.9362, 200), (430.0101, 100), (549.5874, 20),
    (555.8702, 25), (560.6733, 35), (565.0704, 25), (588.8584, 25), (591.2085, 50),
    (603.2127, 70), (604.3223, 35), (641.6307, 70), (667.7282, 100), (675.2834, 150),
    (687.1289, 150), (696.5431, 10000), (703.0251, 150), (706.7218, 10000), (714.7042, 1000),
    (727.2936, 2000), (738.3980, 10000), (750.3869, 20000), (751.4652, 15000),
    (763.5106, 25000), (772.3761, 15000), (772.4207, 10000), (794.8176, 20000),
    (800.6157, 20000), (801.4786, 25000), (810.3693, 20000), (811.5311, 35000),
    (826.4522, 10000), (840.8210, 15000), (842.4648, 20000),
)  # fmt: skip

_LAMPS = {"neon": _NEON, "mercury": _MERCURY, "argon": _ARGON}


def lamp_lines(lamp: str) -> tuple[LampLine, ...]:
    """Return the lines of a lamp in order of wavelength.

    Args:
        lamp: ``"neon"``, ``"mercury"`` or ``"argon"``; several joined by ``"+"`` for a
            lamp of mixed filling.

    Raises:
        AnalysisError: If a name is unknown.
    """
    found: list[LampLine] = []
    for name in lamp.lower().split("+"):
        table = _LAMPS.get(name.strip())
        if table is None:
            msg = f"no line table for a lamp {name.strip()!r}; there are {', '.join(_LAMPS)}"
            raise AnalysisError(msg)
        found += [LampLine(nm, intensity) for nm, intensity in table]
    return tuple(sorted(found, key=lambda line: line.wavelength_nm))
