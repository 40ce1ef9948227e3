"""Modules on a bench; at the end no body of a library function may have failed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tcspc_bench import TcspcBench


@pytest.fixture
def tcspc() -> Iterator[Callable[..., TcspcBench]]:
    """Build benches."""
    benches: list[TcspcBench] = []

    def build(prefix: str, **options: Any) -> TcspcBench:
        benches.append(TcspcBench(prefix, **options))
        return benches[-1]

    yield build
    for bench in benches:
        assert bench.library.errors == []
