"""Fixtures for sessions on fake instruments."""

from collections.abc import Generator
from pathlib import Path

import pytest

from fake_lab import Bench, Look


@pytest.fixture
def bench(tmp_path: Path) -> Generator[Bench]:
    Look.works = None
    found = Bench(tmp_path)
    yield found
    found.book.close()
    Look.works = None
