from collections.abc import Callable
from typing import Any

def njit(
    signature: str,
    *,
    cache: bool = ...,
    nogil: bool = ...,
    error_model: str = ...,
    fastmath: bool | set[str] = ...,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
