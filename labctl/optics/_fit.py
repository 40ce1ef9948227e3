"""The one place of this package that calls scipy's optimiser."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["minimise"]

Vector = NDArray[np.float64]


def minimise(
    residuals: Callable[[NDArray[Any]], NDArray[Any]], start: Vector, scale: Vector
) -> tuple[Vector, Vector, Vector]:
    """Minimise a sum of squares by Levenberg-Marquardt to rounding precision.

    The Jacobian is taken by the complex-step method, so ``residuals`` must be analytic
    and accept complex parameters.  That is what makes 1e-9 nm attainable although focal
    length and angles nearly compensate each other.

    Args:
        residuals: Maps parameters, shape (k,), to residuals, shape (n,).
        start: Starting parameters.
        scale: Typical change of each parameter.

    Returns:
        Parameters (k,), residuals (n,) and Jacobian (n, k) at the minimum.
    """
    # scipy takes longer to import than a spectrum takes to store; only fits need it.
    from scipy.optimize import least_squares

    step = 1e-30

    def jacobian(parameters: Vector) -> Vector:
        columns = np.empty((residuals(parameters).size, parameters.size))
        for k in range(parameters.size):
            shifted = parameters.astype(np.complex128)
            shifted[k] += 1j * step
            columns[:, k] = np.imag(residuals(shifted)) / step
        return columns

    found = least_squares(
        residuals, start, jac=jacobian, method="lm", x_scale=scale,
        xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=400,
    )  # fmt: skip
    return found.x, found.fun, jacobian(found.x)
