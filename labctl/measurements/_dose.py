"""The light that has fallen onto what was lit, from what is known of the laser."""

from math import hypot

import numpy as np
from numpy.typing import NDArray

from labctl.measurements._context import Context
from labctl.measurements._lit import Fallen, Lit
from labctl.measurements._settings import dose_rate_uj_cm2_s, fluence_error_rel, present_spot_um

__all__ = ["light_on"]

_WIDE_ERROR_REL = 0.1
"""Of the diameter of the wide field (assumed): nothing measures it."""


def light_on(context: Context, lit: Lit, lit_s: float) -> Fallen | None:
    """Return the light that has fallen onto what was lit for so long, s; None: not known."""
    peak_uj_cm2 = dose_rate_uj_cm2_s(context)
    if peak_uj_cm2 is None or not len(lit.places_um):
        return None
    peak_uj_cm2 *= lit_s
    spot_um, error_um = present_spot_um(context)
    if lit.wide:
        return _wide(context, lit, peak_uj_cm2 * spot_um**2)
    error_rel = None if error_um is None else error_um / spot_um
    return Fallen(_rows(lit, peak_uj_cm2, spot_um), fluence_error_rel(context), error_rel)


def _wide(context: Context, lit: Lit, uj_cm2_um2: float) -> Fallen | None:
    """Return the light of a wide field: the power of the spot over a larger area."""
    laser = context.table.laser
    wide_um = None if laser is None else laser.wide_field_1e2_diameter_um
    if wide_um is None:
        text = "light of wide fields is left out: laser.wide_field_1e2_diameter is not stated"
        context.warn_once("dose", f"the dose of dots is not complete: {text}")
        return None
    fluence = fluence_error_rel(context)
    error_rel = None if fluence is None else hypot(fluence, 2.0 * _WIDE_ERROR_REL)
    return Fallen(_rows(lit, uj_cm2_um2 / wide_um**2, wide_um), error_rel, _WIDE_ERROR_REL)


def _rows(lit: Lit, peak_uj_cm2: float, diameter_um: float) -> NDArray[np.float64]:
    number = len(lit.places_um)
    each = np.broadcast_to([peak_uj_cm2 / number, diameter_um], (number, 2))
    return np.hstack([lit.places_um, each])
