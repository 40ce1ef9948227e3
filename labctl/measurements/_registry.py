"""The kinds of measurement that recipes can name."""

from functools import lru_cache
from importlib.metadata import entry_points
from typing import cast

from labctl.measurements._measurement import Measurement

__all__ = ["measurement_types"]

GROUP = "labctl.measurements"


@lru_cache(maxsize=1)
def measurement_types() -> dict[str, type[Measurement]]:
    """Return every kind of measurement by its name in recipes; third parties add theirs."""
    found = (cast(type[Measurement], entry.load()) for entry in entry_points(group=GROUP))
    return {kind.kind: kind for kind in sorted(found, key=lambda kind: kind.kind)}
