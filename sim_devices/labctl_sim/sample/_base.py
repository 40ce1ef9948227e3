"""What all models of the sample file share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_SUFFIXES = (
    "_k_per_uj_cm2", "_mev_per_k", "_mev_cm2_kv2", "_kv_cm", "_cm2",
    "_nm", "_um", "_ev", "_mev", "_ps", "_deg", "_k", "_s",
)  # fmt: skip


def file_key(attribute: str) -> str:
    """The key in the file: there the value carries the unit, in Python the name does."""
    for suffix in _SUFFIXES:
        if attribute.endswith(suffix):
            return attribute.removesuffix(suffix)
    return attribute


class Block(BaseModel):
    """A frozen block of the sample file; unknown keys and non-finite numbers are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        alias_generator=file_key,
    )


Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
