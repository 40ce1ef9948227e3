"""Names of a selector's positions in the set-up file."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

__all__ = ["Positions"]


def _different(names: Sequence[str]) -> Sequence[str]:
    if len(set(names)) < len(names):
        message = "two positions have the same name"
        raise ValueError(message)
    return names


Positions = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(min_length=2, description="like 'positions: [open, \"OD 1\"]'"),
    AfterValidator(_different),
]
"""Different names, in the order in which the instrument counts its positions."""
