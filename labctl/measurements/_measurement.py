"""What all measurements have in common: frozen parameters, and how they are carried out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from labctl.measurements._context import Context
from labctl.units import split_suffix

__all__ = ["Again", "Measurement"]

Again = Literal["compare", "prepare", "never"]
"""``compare``: the last one is repeated and shows what has changed meanwhile; ``prepare``: the last
one is repeated, because what follows needs it; ``never``: what follows rests on its result."""


def _key(name: str) -> str:
    return split_suffix(name)[0]


class Measurement(BaseModel, ABC):
    """One kind of acquisition: its parameters, and how it is done.

    In files and scripts a parameter is named without its unit and written with it
    (``exposure: 1 s``); in the code its name carries the unit (``exposure_s``).

    Attributes:
        kind: Name in recipes, e.g. ``spectrum``.
        needs: Roles that the set-up must have.
        rests_on: Calibration → the role of the instrument whose one must be in force.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_key, validate_by_name=False
    )

    kind: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    rests_on: ClassVar[Mapping[str, str]] = {}

    def once_more(self) -> Again:
        """Return what becomes of it, once done, when another process goes on with the run."""
        return "compare"

    @abstractmethod
    def estimate_s(self) -> float:
        """Return the expected lab time in s."""

    @abstractmethod
    def run(self, context: Context) -> None:
        """Carry the measurement out and store its point through the context."""
