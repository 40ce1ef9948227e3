"""Fixtures for runs that are broken in every way."""

from pathlib import Path

import pytest

from photon_setup import PhotonBench
from small_setup import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def photons(tmp_path: Path) -> PhotonBench:
    return PhotonBench(tmp_path)
