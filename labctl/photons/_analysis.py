"""What everything that is fed with blocks of photons has in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from labctl.photons._decoder import PhotonBlock

__all__ = ["Analysis", "grown", "lookup"]

_CODES = 128
"""Channels are fields of 6 bits, and the sync input."""


class Analysis(ABC):
    """Takes photons block by block; gives a result at any time.

    Blocks may be cut anywhere without changing a result.
    """

    heavy: ClassVar[bool] = False
    """Whether cost grows with rate times window, so that a block may be left out in a hurry."""

    @abstractmethod
    def feed(self, block: PhotonBlock) -> None:
        """Take the next block."""

    def skip(self, block: PhotonBlock) -> None:
        """Leave a block out; what came before is not connected with what comes after."""
        raise NotImplementedError(f"{type(self).__name__} takes every block")


def lookup(values: Mapping[int, int] | Iterable[int], default: int = -1) -> NDArray[np.int8]:
    """Return a table from channel code to a small number, 128 of int8.

    Args:
        values: The number of each channel, or channels that are numbered as they come.
        default: The number of all other channels.
    """
    pairs = _numbered(values)
    table = np.full(_CODES, default, np.int8)
    for channel, value in pairs.items():
        if not 0 <= channel < _CODES:
            raise ValueError(f"no such channel: {channel}")
        table[channel] = value
    table.flags.writeable = False
    return table


def _numbered(values: Mapping[int, int] | Iterable[int]) -> Mapping[int, int]:
    if isinstance(values, Mapping):
        return cast("Mapping[int, int]", values)
    return {channel: number for number, channel in enumerate(values)}


def grown(array: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return an array with room for so many rows: the same one, or a larger copy."""
    if rows <= len(array):
        return array
    larger = np.zeros((1 << rows.bit_length(), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
