"""The live views that windows can ask for."""

from typing import Any

from labctl.errors import RefusedError
from labctl.measurements import (
    LightPath,
    Live,
    LiveImage,
    LivePhotons,
    LivePicture,
    LiveSpectrum,
)

__all__ = ["live_view"]

_KINDS: dict[str, type[Live]] = {
    "spectrum": LiveSpectrum,
    "image": LiveImage,
    "path": LightPath,
    "picture": LivePicture,
    "photons": LivePhotons,
}


def live_view(kind: str, settings: dict[str, Any]) -> Live:
    """Return a live view; settings are written as in a recipe, with their units.

    Raises:
        RefusedError: There is no such view.
        ValidationError: Settings are wrong.
    """
    if kind not in _KINDS:
        raise RefusedError("live view", f"there is none of {kind!r}", ", ".join(_KINDS))
    return _KINDS[kind].model_validate(settings)
