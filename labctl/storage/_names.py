"""Names that NeXus, HDF5 and Python all accept."""

import re
from collections.abc import Container
from functools import lru_cache

RESERVED_SUFFIXES = (
    "_end",
    "_errors",
    "_indices",
    "_mask",
    "_offset",
    "_scaling_factor",
    "_set",
    "_weights",
)
"""Endings by which NeXus says that a field belongs to another one, which must then be there."""


@lru_cache(maxsize=1024)
def base_of(name: str) -> str:
    """Return the name of the field to which a name with a reserved ending belongs, or empty."""
    ending = next((suffix for suffix in RESERVED_SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(ending) if ending else ""


def nexus_name(name: str, beside: Container[str]) -> str:
    """Return a name that NeXus allows beside others: a reserved ending needs its base there."""
    base = base_of(name)
    return f"{name}_" if base and base not in beside else name


def identifier(text: str) -> str:
    """Return a name that NeXus and Python accept; dots become underscores."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return name if name and not name[0].isdigit() else f"_{name}"
