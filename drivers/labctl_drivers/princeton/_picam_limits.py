"""What a parameter of a PICam camera may be, in words for the user."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

__all__ = ["Attribute", "Region", "objection"]

Region = tuple[int, int, int, int, int, int]
"""x, width, x binning, y, height, y binning, as the library has it."""

_ALIGNED_X, _ALIGNED_Y = 1, 2


class RegionRules(Protocol):
    """Constraint of the regions, as pylablib keeps it: ranges are (lowest, highest, step)."""

    flags: int
    wrng: tuple[int, int, int]
    xbins: Sequence[int] | None
    hrng: tuple[int, int, int]
    ybins: Sequence[int] | None


class Attribute(Protocol):
    """One parameter, as pylablib's ``PicamAttribute`` has it."""

    name: str
    pid: int
    kind: str
    writable: bool
    cons_type: str
    min: Any
    max: Any
    inc: Any
    ivalues: list[Any]
    values: list[Any]
    cons_roi: RegionRules | None

    def update_limits(self, force: bool = False) -> None:
        """Ask the library for limits that depend on other parameters."""
        ...

    def get_value(self, enum_as_str: bool = True) -> Any:
        """Return the value."""
        ...

    def set_value(self, value: Any, truncate: bool = True) -> None:
        """Set the value, without commit."""
        ...


def objection(attribute: Attribute, value: Any) -> str:
    """Say which values are allowed if this one is not; empty if it is.

    Enumerations are compared as numbers. Limits are those that the attribute holds: call
    ``update_limits`` before.
    """
    if attribute.cons_type == "Range":
        inside = attribute.min <= value <= attribute.max
        return "" if inside else f"{attribute.min:g} to {attribute.max:g}"
    if attribute.cons_type == "Collection":
        if any(math.isclose(value, allowed, abs_tol=1e-9) for allowed in attribute.ivalues):
            return ""
        return "one of " + ", ".join(str(allowed) for allowed in attribute.values)
    if attribute.cons_roi is not None:
        return _region_objection(attribute.cons_roi, value)
    return ""


def _region_objection(rules: RegionRules, region: Region) -> str:
    x, width, x_binning, y, height, y_binning = region
    return _side_objection(
        "x", (x, width, x_binning), rules.wrng, rules.xbins, bool(rules.flags & _ALIGNED_X)
    ) or _side_objection(
        "y", (y, height, y_binning), rules.hrng, rules.ybins, bool(rules.flags & _ALIGNED_Y)
    )


def _side_objection(
    axis: str,
    side: tuple[int, int, int],
    sizes: tuple[int, int, int],
    binnings: Sequence[int] | None,
    aligned: bool,
) -> str:
    start, size, binning = side
    if start < 0 or size < sizes[0] or start + size > sizes[1]:
        return f"at least {sizes[0]} and at most {sizes[1]} pixels in {axis}"
    if binning < 1 or (binnings and binning not in binnings):
        return f"{axis} binning {', '.join(map(str, binnings or ('from 1',)))}"
    if aligned and size % binning:
        return f"a size in {axis} that is a multiple of its binning {binning}"
    return ""
