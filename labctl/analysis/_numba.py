"""The kernels of this package."""

from labctl.kernels import Array, Kernels, fixed

__all__ = ["Array", "fixed", "kernel", "warm_up"]

_kernels = Kernels(
    {
        "TIMES": "Array(int64, 1, 'C', readonly=True)",
        "VALUES": "Array(float64, 1, 'C', readonly=True)",
    }
)
kernel = _kernels.kernel


def warm_up() -> None:
    """Compile every kernel of ``labctl.analysis``, or load it from the cache."""
    _kernels.warm_up()
