"""Steady light: clicks drawn one by one into T2 records, read back from a run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.photons import PtuWriter, RecordType, Stream, TagBlock, TagEncoder
from labctl.results import ExperimentResult, analyze
