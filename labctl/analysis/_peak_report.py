"""From fitted parameters to quantities with errors."""

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import chi2_probability
from labctl.analysis._measured import Measured
from labctl.analysis._model import FIRST_SATELLITE, SpectrumModel
from labctl.analysis._peak_result import Line, PeakFit
from labctl.analysis._problem import SLOPE, Fitted, Problem
from labctl.analysis._response import InstrumentResponse
from labctl.analysis._voigt import voigt_fwhm, voigt_fwhm_gradient

__all__ = ["report"]

Vector = NDArray[np.float64]

_POOR = 1e-3


def report(
    problem: Problem,
    fitted: Fitted,
    response: InstrumentResponse | None,
    window: tuple[int, int],
    shape: str,
    cosmic_rays: int,
) -> PeakFit:
    """Turn a fit into its result, errors scaled if the fit is poor."""
    probability = chi2_probability(fitted.chi2, fitted.freedom)
    reduced = fitted.chi2 / max(fitted.freedom, 1)
    poor = probability < _POOR and reduced > 1
    scale = float(np.sqrt(reduced)) if poor or problem.noise.assumed else 1.0
    q = _Quantities(problem, fitted, scale)
    observed, intrinsic = q.observed(), q.intrinsic()
    shift = q.response_shift(response)
    by_response = float(intrinsic[1] @ shift)
    area = q.parameter(3)
    electrons = area.scaled(1 / problem.noise.counts_per_electron)
    parameters = fitted.parameters
    level = parameters[4] + parameters[SLOPE] * _ramp_at(problem, parameters[0])
    excluded = int((~problem.usable).sum()) - cosmic_rays
    return PeakFit(
        energy_ev=q.energy(),
        fwhm_observed_mev=observed,
        fwhm_intrinsic_mev=(
            None if response is None else intrinsic[0].plus_systematic(by_response)
        ),
        lorentz_fwhm_mev=q.parameter(1).plus_systematic(float(shift[1])),
        gauss_squared_mev2=q.parameter(2).plus_systematic(float(shift[2])),
        intrinsic_statistical_mev=intrinsic[0].error,
        response_sensitivity_mev=by_response,
        lorentz_sensitivity_mev=float(shift[1]),
        area_counts=area,
        area_electrons=electrons.plus_systematic(electrons.value * problem.noise.gain_error_rel),
        background_counts=Measured(float(level), q.parameter(4).error),
        lines=q.lines(),
        shape=shape,
        background="constant" if SLOPE in problem.fixed else "linear",
        reduced_chi2=reduced,
        freedom=fitted.freedom,
        probability=probability,
        error_scale=scale,
        flags=_flags(problem, fitted, observed.value, scale, excluded, cosmic_rays, shape),
        excluded_pixels=excluded,
        cosmic_rays=cosmic_rays,
        window=window,
        model_counts=fitted.model_counts,
        offsets_covariance_mev2=q.offsets_covariance_mev2(),
    )


class _Quantities:
    """Quantities of one fit; ``scale`` multiplies every statistical error."""

    def __init__(self, problem: Problem, fitted: Fitted, scale: float) -> None:
        self.problem, self.fitted, self.scale = problem, fitted, scale

    def _error(self, gradient: Vector) -> float:
        variance = float(gradient @ self.fitted.covariance @ gradient)
        return self.scale * float(np.sqrt(max(variance, 0.0)))

    def _gradient(self) -> Vector:
        return np.zeros(self.fitted.parameters.size)

    def parameter(self, index: int) -> Measured:
        value = float(self.fitted.parameters[index])
        return Measured(value, self.scale * self.fitted.error(index))

    def energy(self) -> Measured:
        centre = self.parameter(0).scaled(1e-3)
        return Measured(self.problem.axis.reference_ev + centre.value, centre.error)

    def intrinsic(self) -> tuple[Measured, Vector]:
        lorentz, gauss_squared = map(float, self.fitted.parameters[1:3])
        gradient = self._gradient()
        gradient[1:3] = voigt_fwhm_gradient(lorentz, gauss_squared, self.fitted.error(2))
        value = voigt_fwhm(lorentz, gauss_squared)
        return Measured(value, self._error(gradient)), gradient

    def observed(self) -> Measured:
        """Return the observed FWHM; by formula for one Voigt, by search for a sampled one."""
        axis, parameters = self.problem.axis, self.fitted.parameters
        lorentz = float(parameters[1]) + axis.lorentz_mev
        total = float(parameters[2]) + axis.gauss_squared_mev2
        gradient = self._gradient()
        if axis.kernel.size == 1:
            gradient[1:3] = voigt_fwhm_gradient(lorentz, total)
            return Measured(voigt_fwhm(lorentz, total), self._error(gradient))
        model = SpectrumModel(axis)
        value = model.observed_fwhm_mev(parameters)
        for k, step in ((1, 0.02 * value), (2, 0.04 * value**2)):
            moved = parameters.copy()
            moved[k] += step
            gradient[k] = (model.observed_fwhm_mev(moved) - value) / step
        return Measured(value, self._error(gradient))

    def response_shift(self, response: InstrumentResponse | None) -> Vector:
        """Return the shift of all parameters for one standard error of the response.

        Implicit derivative of the minimum: ``-C J^T W dm/dR`` with the change of the model
        by the response, which enters as the width parameters do.
        """
        shift = self._gradient()
        if response is None or response.fwhm_error_nm == 0:
            return shift
        axis, fitted = self.problem.axis, self.fitted
        error = response.fwhm_error_nm * axis.mev_per_nm
        column, factor = 1, 1.0
        if axis.gauss_squared_mev2 > 0:
            column, factor = 2, 2 * float(np.sqrt(axis.gauss_squared_mev2))
        keep = self.problem.usable
        weighted = (fitted.derivatives / fitted.sigma[:, None] ** 2)[keep]
        change = fitted.derivatives[keep, column] * factor * error
        return -fitted.covariance @ (weighted.T @ change)

    def _falling(self) -> list[int]:
        """Return the places of the satellites' offsets, by falling energy."""
        parameters = self.fitted.parameters
        return sorted(range(FIRST_SATELLITE, parameters.size, 2), key=lambda k: -parameters[k])

    def offsets_covariance_mev2(self) -> Vector:
        places = self._falling()
        return self.scale**2 * self.fitted.covariance[np.ix_(places, places)]

    def lines(self) -> tuple[Line, ...]:
        found: list[Line] = []
        for place in self._falling():
            offset = self.parameter(place)
            gradient = self._gradient()
            gradient[0] = gradient[place] = 1e-3
            energy = self.energy().value + 1e-3 * offset.value
            position = Measured(energy, self._error(gradient))
            found.append(Line(position, offset, self.parameter(place + 1)))
        return tuple(found)


def _ramp_at(problem: Problem, energy_mev: float) -> float:
    energy = problem.axis.energy_mev
    return float(problem.axis.ramp[int(np.argmin(np.abs(energy - energy_mev)))])


def _flags(
    problem: Problem,
    fitted: Fitted,
    observed_mev: float,
    scale: float,
    excluded: int,
    cosmic_rays: int,
    shape: str,
) -> tuple[str, ...]:
    energy = problem.axis.energy_mev
    centre = float(fitted.parameters[0])
    to_edge = min(centre - float(energy.min()), float(energy.max()) - centre)
    found = {
        "saturated or unusable pixels": excluded > 0,
        "cosmic rays rejected": cosmic_rays > 0,
        "poor fit, errors scaled": scale > 1 and not problem.noise.assumed,
        "noise not calibrated, errors from the scatter": problem.noise.assumed,
        "line at the edge of the window": to_edge < 2 * observed_mev,
        "parameter at its bound": bool(fitted.at_bound.any()),
        "line narrower than two pixels": observed_mev < 2 * problem.axis.pixel_mev,
        "further lines fitted": bool(problem.priors),
        "Gaussian part not resolved": shape == "lorentz" and 2 in problem.fixed,
    }
    return tuple(text for text, present in found.items() if present)
