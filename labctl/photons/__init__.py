"""Time-tagged photons: records, PTU files, and what is made of them live and later.

Everything is counted in whole numbers, and no result depends on where a stream was cut into
blocks. ``warm_up`` compiles the kernels; call it before an acquisition.
"""

from labctl.photons._analysis import Analysis
from labctl.photons._coincidences import PairBooks
from labctl.photons._decays import DecayHistogram, Decays
from labctl.photons._decoder import BLOCK_RECORDS, Decoder, PhotonBlock
from labctl.photons._encoder import Encoder
from labctl.photons._formats import (
    SYNC_CHANNEL,
    Family,
    RecordFormat,
    RecordType,
    Stream,
    format_of,
)
from labctl.photons._heralded import PulsePairs, PulsePairsResult
from labctl.photons._line_counts import LineCounts, LineCountsResult
from labctl.photons._markers import MarkerLog, MarkersResult
from labctl.photons._multitau import MultiTau, MultiTauResult
from labctl.photons._numba import warm_up
from labctl.photons._pipeline import PhotonBooks, PhotonPipeline, replay
from labctl.photons._pulsed import PulsedDelays, PulsedDelaysResult, PulsedG2, PulsedG2Result
from labctl.photons._reader import PtuFile, PtuFlag, read_ptu
from labctl.photons._tags import Header, Tag, TagType
from labctl.photons._trace import BinnedDelays, BinnedDelaysResult, Trace, TraceResult
from labctl.photons._windowed import WindowedG2, WindowedG2Result
from labctl.photons._writer import PtuDescription, PtuWriter, StopReason

__all__ = [
    "BLOCK_RECORDS",
    "SYNC_CHANNEL",
    "Analysis",
    "BinnedDelays",
    "BinnedDelaysResult",
    "DecayHistogram",
    "Decays",
    "Decoder",
    "Encoder",
    "Family",
    "Header",
    "LineCounts",
    "LineCountsResult",
    "MarkerLog",
    "MarkersResult",
    "MultiTau",
    "MultiTauResult",
    "PairBooks",
    "PhotonBlock",
    "PhotonBooks",
    "PhotonPipeline",
    "PtuDescription",
    "PtuFile",
    "PtuFlag",
    "PtuWriter",
    "PulsePairs",
    "PulsePairsResult",
    "PulsedDelays",
    "PulsedDelaysResult",
    "PulsedG2",
    "PulsedG2Result",
    "RecordFormat",
    "RecordType",
    "StopReason",
    "Stream",
    "Tag",
    "TagType",
    "Trace",
    "TraceResult",
    "WindowedG2",
    "WindowedG2Result",
    "format_of",
    "read_ptu",
    "replay",
    "warm_up",
]
