from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64] | Sequence[float]

class Axes:
    lines: Sequence[Any]
    def plot(
        self,
        x: Values,
        y: Values,
        fmt: str,
        *,
        ms: float = ...,
        lw: float = ...,
        color: str = ...,
        label: str = ...,
    ) -> object: ...
    def errorbar(
        self,
        x: Values,
        y: Values,
        *,
        xerr: Values,
        yerr: Values,
        fmt: str,
        ms: float,
        lw: float,
        capsize: float,
        color: str,
        label: str,
    ) -> object: ...
    def annotate(
        self,
        text: str,
        xy: tuple[float, float],
        *,
        xycoords: str | tuple[str, str],
        ha: str,
        fontsize: float,
    ) -> object: ...
    def set(self, *, xlabel: str, ylabel: str) -> object: ...
    def axhline(self, y: float, *, lw: float, color: str) -> object: ...
    def axvline(self, x: float, *, lw: float, ls: str, color: str) -> object: ...
    def set_ylim(self, bottom: float, top: float) -> object: ...
    def set_title(self, label: str, *, fontsize: float) -> object: ...
    def get_title(self) -> str: ...
    def set_xlabel(self, xlabel: str) -> object: ...
    def set_ylabel(self, ylabel: str, *, fontsize: float = ...) -> object: ...
    def set_xlim(self, left: float, right: float) -> object: ...
    def set_yscale(self, value: str) -> None: ...
    def set_yticks(self, ticks: Sequence[float]) -> object: ...
    def legend(self, *, frameon: bool, fontsize: float) -> object: ...
    def ticklabel_format(self, *, axis: str, useOffset: bool) -> None: ...
