"""Reading a mapping of truths (keys carry the unit) into a frozen dataclass."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Truth = TypeVar("Truth", bound=DataclassInstance)


def read_truth(kind: "type[Truth]", truth: Mapping[str, Any]) -> "Truth":
    """Take from ``truth`` what ``kind`` knows; a simulator's own keys are left alone."""
    known = {field.name for field in fields(kind)}
    return kind(**{key: value for key, value in truth.items() if key in known})


def truth_defaults(kind: "type[DataclassInstance]") -> dict[str, float | int | bool | str]:
    """Names and default values of ``kind``, for a simulator's ``truth_defaults``."""
    return dict(vars(kind()))
