"""What the analysis is told from outside the run: ``0.74 ± 0.02``."""

import math
import re
from collections.abc import Mapping
from typing import Any

from labctl.analysis import Measured
from labctl.errors import AnalysisError
from labctl.results._rows import StoredRun

__all__ = ["Given", "parse_given", "recipe_given"]

Given = Mapping[str, Measured]

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_FORM = re.compile(rf"\s*({_NUMBER})\s*(?:(?:±|\+-|\+/-)\s*({_NUMBER})\s*)?")


def parse_given(text: str) -> Measured:
    """Return a number with its error from ``0.74``, ``0.74 ± 0.02`` or ``0.74 +- 0.02``.

    Raises:
        AnalysisError: The text is none of these.
    """
    found = _FORM.fullmatch(text)
    value = Measured(float(found[1]), float(found[2] or 0.0)) if found else None
    if value is None or value.error < 0 or not math.isfinite(value.value):
        msg = f"{text!r} is no number"
        raise AnalysisError(msg)
    return value


def recipe_given(run: StoredRun) -> dict[str, Measured]:
    """Return what the recipe of a run tells its analysis.

    Raises:
        AnalysisError: A value is no number.
    """
    recipe: Mapping[str, Any] = run.start.get("recipe") or {}
    given: Mapping[str, Any] = recipe.get("given") or {}
    return {name: parse_given(str(text)) for name, text in given.items()}
