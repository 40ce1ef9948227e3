"""labctl: instrument control and acquisition for cryogenic micro-photoluminescence.

``with labctl.station("setup.yaml", simulate=True) as lab:`` gives a script the set-up; see the
README for a whole example. Everything else is in the sub-packages.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["Spectrum", "__version__", "station"]

if TYPE_CHECKING:
    from labctl.host import station
    from labctl.measurements import Spectrum

_PLACES = {"station": "labctl.host", "Spectrum": "labctl.measurements"}


def __getattr__(name: str) -> Any:
    """Load what scripts use when it is first used, so that ``import labctl`` stays quick."""
    if name not in _PLACES:
        message = f"module 'labctl' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    """Return what ``labctl.<TAB>`` offers, also before it is loaded."""
    return sorted({*globals(), *_PLACES} - {"Any", "TYPE_CHECKING"})
