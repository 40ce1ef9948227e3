from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

class OptimizeResult:
    x: NDArray[np.float64]
    fun: NDArray[np.float64]
    jac: NDArray[np.float64]
    cost: float
    nfev: int
    status: int
    success: bool
    message: str

def least_squares(
    fun: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    x0: NDArray[np.float64],
    jac: Callable[[NDArray[np.float64]], NDArray[np.float64]] = ...,
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]] = ...,
    method: Literal["trf", "dogbox", "lm"] = ...,
    ftol: float = ...,
    xtol: float = ...,
    gtol: float = ...,
    x_scale: NDArray[np.float64] | float | Literal["jac"] = ...,
    max_nfev: int | None = ...,
    **kwargs: Any,
) -> OptimizeResult: ...
def minimize(
    fun: Callable[[NDArray[np.float64]], float],
    x0: NDArray[np.float64],
    *,
    method: str,
    bounds: list[tuple[float, float]],
) -> OptimizeResult: ...
