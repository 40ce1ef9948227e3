"""Storage: the journal of a run, its product, and one reader for both.

While a run is going on, everything goes into an append-only journal (``.lcj``). Afterwards a child
process builds the product (``.nxs``, HDF5 after NeXus) from it. ``read_run`` reads either.
"""

from labctl.storage._ballast import BALLAST_BYTES
from labctl.storage._durable import FileDigest, file_digest, is_held
from labctl.storage._environment import environment
from labctl.storage._folders import (
    RunFolder,
    journal_segments,
    list_runs,
    new_run_folder,
    product_path,
)
from labctl.storage._follow import PointFollower
from labctl.storage._index import Event, Segment
from labctl.storage._lint import lint_product
from labctl.storage._products import (
    FinaliseReport,
    RecoverReport,
    finalise,
    finalise_in_child,
    recover,
)
from labctl.storage._reader import JournalReader, read_journal
from labctl.storage._records import (
    ArrayItem,
    ArrayLayout,
    Header,
    JournalTail,
    NamedArray,
    Quality,
    Record,
    RecordAddress,
    RecordKind,
    RunStatus,
    TailState,
)
from labctl.storage._run import Run, read_run
from labctl.storage._writer import JournalWriter

__all__ = [
    "BALLAST_BYTES",
    "ArrayItem",
    "ArrayLayout",
    "Event",
    "FileDigest",
    "FinaliseReport",
    "Header",
    "JournalReader",
    "JournalTail",
    "JournalWriter",
    "NamedArray",
    "PointFollower",
    "Quality",
    "Record",
    "RecordAddress",
    "RecordKind",
    "RecoverReport",
    "Run",
    "RunFolder",
    "RunStatus",
    "Segment",
    "TailState",
    "environment",
    "file_digest",
    "finalise",
    "finalise_in_child",
    "is_held",
    "journal_segments",
    "lint_product",
    "list_runs",
    "new_run_folder",
    "product_path",
    "read_journal",
    "read_run",
    "recover",
]
