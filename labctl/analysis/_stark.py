"""Peak energy against electric field: a parabola, beneath it the slow wander of the line."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._propagate import propagate
from labctl.errors import AnalysisError

__all__ = ["StarkLaw", "fit_stark"]

Vector = NDArray[np.float64]

_SCALE_KV_CM = 100.0
_FEWEST_FIELDS = 5
_E_NM_PER_MEV_CM_KV = 10.0
"""1 meV/(kV/cm) is 1e-6 e cm."""
_WANDER_MEV = (0.0, *np.geomspace(1e-3, 1.0, 16).tolist())
_CORRELATION_S = tuple(np.geomspace(10.0, 5000.0, 10).tolist())
_EXCESS = (1.0, 1.5, 2.5, 4.0, 7.0)


@dataclass(frozen=True, eq=False)
class StarkLaw:
    """E(F) = E_v - c (F + F_int)^2 with c = alpha / 2 (Cho 2026, Fig. 7).

    The error of the field's scale is in the errors of everything but the energies.

    Attributes:
        vertex_ev: E_v, the highest energy, eV.
        zero_field_ev: Energy without applied field, eV.
        internal_field_kv_cm: F_int, kV/cm.
        half_polarizability_mev_cm2_kv2: c, meV/(kV/cm)^2.
        dipole_e_nm: -dE/dF without applied field, 2 c F_int, e nm.
        wander_mev: Likely standard deviation of the line's slow wander, meV.
        reference_ev: Energy that ``coefficients`` are relative to, eV.
        coefficients: Of 1, x and x^2 with x = F / (100 kV/cm), meV; shape (3,).
        flags: What is unusual.
    """

    vertex_ev: Measured
    zero_field_ev: Measured
    internal_field_kv_cm: Measured
    half_polarizability_mev_cm2_kv2: Measured
    dipole_e_nm: Measured
    wander_mev: float
    reference_ev: float
    coefficients: Vector
    flags: tuple[str, ...]

    def __call__(self, field_kv_cm: Vector) -> Vector:
        """Return the energy in eV at fields in kV/cm."""
        x = np.asarray(field_kv_cm, dtype=np.float64) / _SCALE_KV_CM
        return self.reference_ev + 1e-3 * (_basis(x) @ self.coefficients)


def fit_stark(
    field_kv_cm: Vector,
    energy_ev: Vector,
    error_ev: Vector,
    time_s: Vector,
    field_accuracy: float,
) -> StarkLaw:
    """Fit the parabola by generalised least squares.

    The line of a single dot wanders by spectral diffusion, so that energies taken soon after one
    another err together: their covariance is that of the fits plus s^2 exp(-|dt|/tau). Neither s,
    tau nor a factor on the fits' errors is known; the result is the mean over a grid of all three,
    weighted with the restricted likelihood, and its error holds their scatter.

    Args:
        field_kv_cm: As applied, kV/cm, shape (n,).
        energy_ev: Of the peak, eV, shape (n,).
        error_ev: Statistical standard errors, eV, shape (n,).
        time_s: When each was taken, s, shape (n,).
        field_accuracy: Relative standard error common to all fields (the electrodes' distance).

    Raises:
        AnalysisError: Fewer than five different fields, or numbers that are not finite.
    """
    columns = np.array([field_kv_cm, energy_ev, error_ev, time_s], dtype=np.float64)
    if not np.all(np.isfinite(columns)) or not np.all(columns[2] > 0.0):
        raise AnalysisError("fields, energies, errors and times must be finite numbers")
    fields = len({round(float(field), 1) for field in columns[0]})
    if fields < _FEWEST_FIELDS:
        raise AnalysisError(f"a parabola needs {_FEWEST_FIELDS} different fields, not {fields}")
    reference_ev = float(np.median(columns[1]))
    design, shift_mev = _basis(columns[0] / _SCALE_KV_CM), 1e3 * (columns[1] - reference_ev)
    beta, covariance, wander_mev = _averaged(design, shift_mev, 1e3 * columns[2], columns[3])
    return _law(beta, covariance, wander_mev, reference_ev, field_accuracy)


def _basis(x: Vector) -> Vector:
    return np.stack([np.ones_like(x), x, x * x], axis=-1)


def _averaged(
    design: Vector, shift_mev: Vector, error_mev: Vector, time_s: Vector
) -> tuple[Vector, Vector, float]:
    """Return coefficients, their covariance and the wander, averaged over what is not known."""
    apart_s = np.abs(time_s[:, np.newaxis] - time_s)
    logs: list[float] = []
    found: list[tuple[Vector, Vector, float]] = []
    for wander, tau_s, excess in itertools.product(_WANDER_MEV, _CORRELATION_S, _EXCESS):
        covariance = np.diag((excess * error_mev) ** 2) + wander**2 * np.exp(-apart_s / tau_s)
        log, beta, own = _solved(design, shift_mev, covariance)
        logs.append(log)
        found.append((beta, own, float(wander)))
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    mean = np.einsum("k,ki->i", weights, np.array([beta for beta, _, _ in found]))
    total = np.zeros((3, 3))
    for weight, (beta, own, _) in zip(weights, found, strict=True):
        total += weight * (own + np.outer(beta - mean, beta - mean))
    return mean, total, float(weights @ np.array([wander for *_, wander in found]))


def _solved(design: Vector, values: Vector, covariance: Vector) -> tuple[float, Vector, Vector]:
    """Return the restricted log-likelihood, the best coefficients and their covariance."""
    lower = np.linalg.cholesky(covariance)
    x, y = np.linalg.solve(lower, design), np.linalg.solve(lower, values)
    normal = x.T @ x
    own = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    beta = own @ (x.T @ y)
    misfit = float(np.sum((y - x @ beta) ** 2))
    half_log_det = float(np.sum(np.log(np.diag(lower))))
    return -half_log_det - 0.5 * (float(np.linalg.slogdet(normal)[1]) + misfit), beta, own


def _law(
    beta: Vector, covariance: Vector, wander_mev: float, reference_ev: float, accuracy: float
) -> StarkLaw:
    scale = _SCALE_KV_CM
    internal = propagate(lambda b: float(scale * b[1] / (2.0 * b[2])), beta, covariance)
    half = propagate(lambda b: float(-b[2] / scale**2), beta, covariance)
    dipole = propagate(lambda b: float(-_E_NM_PER_MEV_CM_KV * b[1] / scale), beta, covariance)
    vertex = propagate(lambda b: float(b[0] - b[1] ** 2 / (4.0 * b[2])), beta, covariance)
    zero = Measured(float(beta[0]), float(np.sqrt(covariance[0, 0])))
    curved = abs(beta[2]) > 3.0 * np.sqrt(covariance[2, 2])
    flags = () if curved else ("the curvature is not resolved: sweep farther, or measure longer",)
    return StarkLaw(
        _absolute(vertex, reference_ev),
        _absolute(zero, reference_ev),
        internal.plus_systematic(accuracy * abs(internal.value)),
        half.plus_systematic(2.0 * accuracy * abs(half.value)),
        dipole.plus_systematic(accuracy * abs(dipole.value)),
        wander_mev,
        reference_ev,
        beta,
        flags,
    )


def _absolute(shift_mev: Measured, reference_ev: float) -> Measured:
    return Measured(reference_ev + 1e-3 * shift_mev.value, 1e-3 * shift_mev.error)
