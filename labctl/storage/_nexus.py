"""Builds the product of a run: one pass to learn its shape, one pass to copy its arrays."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from labctl.errors import StorageError
from labctl.storage._frame import dump_text
from labctl.storage._h5 import H5Group, create_h5
from labctl.storage._index import Group, RunIndex
from labctl.storage._layouts import meaning_of
from labctl.storage._names import identifier
from labctl.storage._nexus_data import GroupWriter, Positions
from labctl.storage._nexus_instrument import (
    write_detectors,
    write_instrument,
    write_readings,
    write_sample,
)
from labctl.storage._nexus_labctl import write_labctl
from labctl.storage._reader import read_journal
from labctl.storage._records import JournalTail, Record, RunStatus

DEFINITION = "NXoptical_spectroscopy"
DEFINITION_VERSION = "v2026.01"
DEFINITION_URL = "https://manual.nexusformat.org/classes/applications/NXoptical_spectroscopy.html"


class Survey:
    """What the first pass over the journals of a run found.

    Attributes:
        index: Everything except the arrays.
        tails: Where each journal ended.
    """

    def __init__(self, journals: Sequence[Path]) -> None:
        """Read all journals once, one record at a time.

        Raises:
            StorageError: If the first journal does not begin with a start record.
        """
        self.journals = tuple(journals)
        self.index = RunIndex()
        self.positions: dict[str, Positions] = {}
        tails: list[JournalTail] = []
        for path in self.journals:
            with read_journal(path) as reader:
                for record in reader:
                    self._look(record)
            tails.append(reader.tail)
        self.tails = tuple(tails)
        if not self.index.start:
            message = f"journal {self.journals[0]} has no start record; nothing was measured"
            raise StorageError(message)

    def records(self) -> Iterator[Record]:
        """Yield the same records once more."""
        for path, tail in zip(self.journals, self.tails, strict=True):
            with read_journal(path) as reader:
                for record in reader:
                    if record.address.offset >= tail.offset:
                        break
                    yield record

    def _look(self, record: Record) -> None:
        group = self.index.add(record)
        if group is not None:
            self.positions.setdefault(group.key, Positions()).look(group, record.arrays)


def build_product(survey: Survey, target: Path, status: RunStatus) -> None:
    """Write the whole product under a temporary name."""
    index = survey.index
    with create_h5(target) as root:
        entry = _write_entry(root, index)
        write_sample(entry, index)
        instrument = write_instrument(entry, index)
        labctl = entry.child("labctl", "NXcollection")
        writers = {
            key: GroupWriter(instrument, index, group, survey.positions[key])
            for key, group in index.groups.items()
        }
        _copy(survey, labctl, writers)
        for writer in writers.values():
            writer.finish(entry)
        write_labctl(labctl, index, status)
        write_detectors(instrument, index)
        write_readings(entry, instrument, index)
        _write_links(entry, labctl, survey)


def _write_entry(root: H5Group, index: RunIndex) -> H5Group:
    began = index.began_utc.isoformat() if index.began_utc else ""
    ended = index.ended_utc.isoformat() if index.ended_utc else ""
    version = str(index.start.get("labctl_version", ""))
    root.mark(NX_class="NXroot", default="entry", creator="labctl", creator_version=version)
    root.mark(file_time=ended)
    entry = root.child("entry", "NXentry")
    entry.text("definition", DEFINITION, version=DEFINITION_VERSION, URL=DEFINITION_URL)
    entry.text("title", str(index.start.get("title") or index.start.get("name", "")))
    entry.text("start_time", began)
    entry.text("end_time", ended)
    entry.text("identifier_experiment", str(index.start.get("uid", "")))
    entry.text("experiment_type", "photoluminescence")
    meanings = [meaning_of(group.measurement) for group in index.groups.values()]
    sub_types = {meaning.sub_type for meaning in meanings if not meaning.preparation}
    if len(sub_types) == 1 and (sub_type := sub_types.pop()):
        entry.text("experiment_sub_type", sub_type)
    user = index.start.get("user")
    if user:
        entry.child("user", "NXuser").text("name", str(user))
    return entry


def _copy(survey: Survey, labctl: H5Group, writers: dict[str, GroupWriter]) -> None:
    stream = labctl.stream("record_headers", type="application/x-ndjson", charset="utf-8")
    groups = _group_by_row(survey.index)
    row = 0
    for record in survey.records():
        stream.append(record.raw_header + b"\n")
        if record.kind == "point":
            writers[groups[row].key].append(record.arrays)
            row += 1
        elif record.arrays:
            _copy_arrays(labctl, record)
    stream.flush()


def _group_by_row(index: RunIndex) -> list[Group]:
    rows = {row: group for group in index.groups.values() for row in group.rows}
    return [rows[row] for row in range(index.points.rows)]


def _copy_arrays(labctl: H5Group, record: Record) -> None:
    others = labctl.child("other_records", "NXcollection")
    name = f"s{record.segment}_{record.seq}_{identifier(record.kind)}"
    group = others.child(name, "NXcollection")
    for item in record.arrays.values():
        group.array(item.name, np.ascontiguousarray(item.values), item.units)


def _write_links(entry: H5Group, labctl: H5Group, survey: Survey) -> None:
    groups = survey.index.groups
    names = {key: f"entry/{group.nexus_name}" for key, group in groups.items()}
    labctl.text("data_groups", dump_text(names))
    journals = [
        {"name": path.name, "size": path.stat().st_size, "whole": tail.offset, "end": tail.state}
        for path, tail in zip(survey.journals, survey.tails, strict=True)
    ]
    labctl.text("journals", dump_text(journals))
    if groups:
        # sorted keeps the order of acquisition among equals.
        main = sorted(groups.values(), key=lambda g: meaning_of(g.measurement).place)[0]
        entry.mark(default=main.nexus_name)
        return
    data = entry.child("data", "NXdata")
    data.mark(signal="point", axes=["."])
    data.text("title", "no point was measured")
    data.array("point", np.zeros(0, dtype=np.int64), "")
    entry.mark(default="data")
