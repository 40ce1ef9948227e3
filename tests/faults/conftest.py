"""Fixtures for runs that are broken in every way."""

from pathlib import Path

import pytest

from small_setup import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
