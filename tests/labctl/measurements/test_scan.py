"""Lines of a map by the picture: no line is scanned beside its place."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import pytest

from labctl.errors import RefusedError
from labctl.measurements._lit import Lit
from labctl.measurements._scan import Scan


class Quantity:
    """One axis of a stage that believes what it was told."""

    def __init__(self) -> None:
        self.believed_um = self.true_um = 0.0

    def read(self) -> float:
        return self.believed_um


class Slippery:
    """Stage, field, context, counter and eye of a scan of 4 x 4 pixels of 0.5 um.

    ``slips`` says how far y slips before each look, um; then it stands firm.
    """

    step_um = 0.5
    shape = (4, 4)
    name = "stage"
    fine = False

    def __init__(self, slips: list[float]) -> None:
        self.axes, self.slips, self.texts = (Quantity(), Quantity()), slips, list[str]()
        self.rows_um: list[float] = []
        self.stage = self

    def along(self, _axis: int) -> Any:
        return 0.5 * np.arange(4.0)

    def settable(self, axis: int) -> Quantity:
        return self.axes[axis]

    def move(self, axis: Quantity, um: float) -> float:
        axis.true_um += um - axis.believed_um
        axis.believed_um = um
        return um

    def look(self) -> tuple[float, float]:
        self.axes[1].true_um += self.slips.pop(0) if self.slips else 0.0
        for axis in self.axes:
            axis.believed_um = axis.true_um
        return self.axes[0].true_um, self.axes[1].true_um

    def rate_hz(self) -> float:
        self.rows_um.append(self.axes[1].true_um)
        return 1.0

    @contextmanager
    def light(self, onto: Callable[[], Lit]) -> Generator[None]:
        began = len(self.rows_um)
        yield
        # What was lit is told for each pixel, where it was believed to be.
        lit_um = onto().places_um
        assert lit_um.shape == (len(self.rows_um) - began, 2)

    def message(self, _level: str, _device: str, text: str) -> None:
        self.texts.append(text)

    def take_path(self) -> None: ...

    def live(self, _values: Any) -> None: ...

    def progress(self, _text: str, _share: float) -> None: ...

    def show(self, _grown: Any) -> None: ...


def scanned(slips: list[float]) -> Slippery:
    lab = Slippery(slips)
    scan = Scan(cast("Any", lab), cast("Any", lab), cast("Any", lab), cast("Any", lab))
    scan.line(2, [0, 1, 2, 3])
    return lab


def test_a_line_whose_beginning_slips_again_and_again_is_not_scanned_beside_its_place() -> None:
    """Three ways to its beginning end 0.4 um off; the fourth meets it."""
    lab = scanned([0.4, 0.4, 0.4])
    assert lab.rows_um == pytest.approx([1.0] * 4)
    assert any("line 2" in text for text in lab.texts)


def test_small_errors_of_the_beginning_are_borne() -> None:
    assert scanned([0.2, 0.2, 0.2]).rows_um == pytest.approx([1.2] * 4)


def test_a_stage_that_never_meets_a_line_is_refused() -> None:
    with pytest.raises(RefusedError, match="slips each time on line 2"):
        scanned([0.4] * 40)
