"""YAML as plain data that remembers its lines; the only module that touches ruamel.yaml.

Files are composed into nodes and never constructed into objects, so that no file can run code.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from labctl.errors import ConfigError, Problem

__all__ = ["Document", "Key", "Location", "Written", "load_yaml", "outline", "parse_yaml"]

Key = str | int
Location = tuple[Key, ...]

_LARGEST_BYTES = 4_000_000
_MOST_NODES = 200_000
_DEEPEST = 60
_MOST_OUTLINED = 20_000
_TAG = "tag:yaml.org,2002:"
_CONSTANTS = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}


@dataclass(frozen=True)
class Document:
    """A file as plain dicts, lists and scalars, with the line of every key and entry.

    Attributes:
        path: The file.
        data: Its content.
        lines: Location in ``data`` → line, from 1.
        given: Locations whose value came from elsewhere → where from (``--set``).
    """

    path: Path
    data: Any
    lines: Mapping[Location, int]
    given: Mapping[Location, str] = field(default_factory=dict[Location, str])

    def where(self, location: Sequence[Key] = ()) -> str:
        """Return ``file.yaml:12`` for a location; an unknown one is that of its parent."""
        here = tuple(location)
        while here not in self.lines and here not in self.given and here:
            here = here[:-1]
        if here in self.given:
            return self.given[here]
        return f"{_shown(self.path)}:{self.lines.get(here, 1)}"

    def with_value(self, location: Location, value: Any, origin: str) -> "Document":
        """Return a copy with another value at ``location``; ``origin`` is its new ``where``.

        Raises:
            KeyError: The parent of the location does not exist.
        """
        data = _replaced(self.data, location, value)
        return replace(self, data=data, given={**self.given, location: origin})


@dataclass(frozen=True)
class Written:
    """One key or entry of a file as it stands in the text.

    Attributes:
        location: Where it belongs.
        line: Its line, from 1.
        begin: Where its value begins in the text, as a number of characters.
        end: Where that ends.
        is_leaf: Whether it is one value: a scalar, or a list of scalars in one pair of brackets.
        is_entry: Whether it is an entry of a list with dashes.
    """

    location: Location
    line: int
    begin: int
    end: int
    is_leaf: bool
    is_entry: bool


def outline(text: str) -> tuple[Written, ...]:
    """Return every key and entry of YAML text in its order, outer ones first.

    Raises:
        ConfigError: It is no YAML, or has too many entries.
    """
    path = Path("recipe")
    # An alias is expanded here, as in ``_Reader``.
    found = tuple(islice(_outlined(_composed(text, path), text, ()), _MOST_OUTLINED))
    if len(found) == _MOST_OUTLINED:
        raise ConfigError([Problem("too many entries", _shown(path))])
    return found


def _outlined(node: Node, text: str, at: Location) -> Iterator[Written]:
    if isinstance(node, MappingNode):
        for key_node, value in node.value:
            key = cast(ScalarNode, key_node)
            name: Key = _whole(key.value) if str(key.tag) == f"{_TAG}int" else str(key.value)
            yield from _one(value, text, (*at, name), key.start_mark.line + 1, is_entry=False)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            line, dashed = value.start_mark.line + 1, not node.flow_style
            yield from _one(value, text, (*at, index), line, is_entry=dashed)


def _one(node: Node, text: str, at: Location, line: int, *, is_entry: bool) -> Iterator[Written]:
    leaf = isinstance(node, ScalarNode) or (
        isinstance(node, SequenceNode)
        and bool(node.flow_style)
        and all(isinstance(one, ScalarNode) for one in node.value)
    )
    begin, end = node.start_mark.index, node.end_mark.index
    # Blocks end where the next one begins, and empty values stand behind the space before them.
    end = begin + len(text[begin:end].rstrip())
    if begin == end:
        begin = end = len(text[:begin].rstrip())
    yield Written(at, line, begin, end, leaf, is_entry)
    if not leaf:
        yield from _outlined(node, text, at)


def load_yaml(path: Path) -> Document:
    """Read a YAML file (UTF-8, one document, a block of keys).

    Raises:
        ConfigError: Not readable, too large, no YAML, duplicate keys, or tags; all with the line.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ConfigError([Problem("the file is larger than 4 MB", _shown(path))])
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what, hint = f"byte {error.start} is not UTF-8 text", "save the file as UTF-8"
        raise ConfigError([Problem(what, _shown(path), hint)]) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError([Problem(f"cannot be read: {reason}", _shown(path))]) from error
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> Document:
    """Read YAML text; ``path`` names it in messages. Errors as in ``load_yaml``."""
    root = _composed(text, path)
    reader = _Reader(path)
    data = reader.read(root, ())
    if reader.problems:
        raise ConfigError(reader.problems)
    return Document(path, data, reader.lines)


def _composed(text: str, path: Path) -> MappingNode:
    try:
        root = YAML(typ="safe", pure=True).compose(StringIO(text))
    except RecursionError as error:
        raise ConfigError([Problem("nested too deeply", _shown(path))]) from error
    except MarkedYAMLError as error:
        raise ConfigError([_syntax(error, path)]) from error
    except YAMLError as error:
        what = f"is not YAML: {str(error).splitlines()[0]}"
        raise ConfigError([Problem(what, _shown(path))]) from error
    if not isinstance(root, MappingNode):
        what = "the file is empty" if root is None else "the file must be a block of keys"
        raise ConfigError([Problem(what, f"{_shown(path)}:1", "begin with 'name: …'")])
    return root


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._nodes = 0
        self.lines: dict[Location, int] = {(): 1}
        self.problems: list[Problem] = []

    def read(self, node: Node, at: Location) -> Any:
        self._nodes += 1
        # An alias is expanded here, so a file of a few lines can mean billions of entries.
        if self._nodes > _MOST_NODES or len(at) > _DEEPEST:
            what = "too many entries" if self._nodes > _MOST_NODES else "nested too deeply"
            raise ConfigError([self._problem(what, node, "is there an alias within itself?")])
        if isinstance(node, MappingNode):
            return self._mapping(node, at)
        if isinstance(node, SequenceNode):
            return self._sequence(node, at)
        return self._scalar(cast(ScalarNode, node))

    def _mapping(self, node: MappingNode, at: Location) -> dict[Key, Any]:
        self._check_tag(node, "map")
        found: dict[Key, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in found:
                first = self.lines[(*at, key)]
                what = f"{key!r} is given twice"
                hint = f"the first is in line {first}"
                self.problems.append(self._problem(what, key_node, hint))
                continue
            self.lines[(*at, key)] = key_node.start_mark.line + 1
            found[key] = self.read(value_node, (*at, key))
        return found

    def _sequence(self, node: SequenceNode, at: Location) -> list[Any]:
        self._check_tag(node, "seq")
        for index, entry in enumerate(node.value):
            self.lines[(*at, index)] = entry.start_mark.line + 1
        return [self.read(entry, (*at, index)) for index, entry in enumerate(node.value)]

    def _key(self, node: Node) -> Key | None:
        value = self._scalar(node) if isinstance(node, ScalarNode) else None
        if str(node.tag) == f"{_TAG}merge":
            what, hint = "merge keys ('<<') are not supported", "write the keys out"
            self.problems.append(self._problem(what, node, hint))
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            what, hint = "a key must be a word or a whole number", "put it in quotes"
            self.problems.append(self._problem(what, node, hint))
            return None
        return value

    def _scalar(self, node: ScalarNode) -> Any:
        kind, text = str(node.tag).removeprefix(_TAG), node.value
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return _whole(text)
        if kind == "float":
            return _real(text)
        if kind not in ("str", "timestamp", "merge"):
            self._refuse_tag(node)
        return text

    def _check_tag(self, node: Node, expected: str) -> None:
        if str(node.tag) != f"{_TAG}{expected}":
            self._refuse_tag(node)

    def _refuse_tag(self, node: Node) -> None:
        tag = str(node.tag).replace(_TAG, "!!")
        what, hint = f"tags such as {tag!r} are not allowed", "files hold plain data only"
        self.problems.append(self._problem(what, node, hint))

    def _problem(self, what: str, node: Node, hint: str) -> Problem:
        return Problem(what, f"{_shown(self._path)}:{node.start_mark.line + 1}", hint)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return int(text, 0)


def _real(text: str) -> float:
    special = _CONSTANTS.get(text.lower())
    return float(text.replace("_", "")) if special is None else special


def _syntax(error: MarkedYAMLError, path: Path) -> Problem:
    mark = error.problem_mark
    line = mark.line + 1 if mark else 1
    what = f"is not YAML: {error.problem or error.context}"
    return Problem(what, f"{_shown(path)}:{line}", _advice(error.problem or ""))


def _advice(problem: str) -> str:
    if "\\t" in problem:
        return "indent with spaces, not with tabs"
    if "mapping values" in problem:
        return "text that holds ': ' must stand in quotes"
    if "another document" in problem:
        return "remove '---'"
    if "undefined alias" in problem:
        return "text that begins with '*' must stand in quotes"
    return "look at brackets, quotes and indentation in this line and the one before"


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _replaced(data: Any, location: Location, value: Any) -> Any:
    if not location:
        return value
    head, rest = location[0], location[1:]
    if isinstance(data, list):
        entries = list(cast(list[Any], data))
        index = int(head)
        entries[index] = _replaced(entries[index], rest, value)
        return entries
    block = dict(cast(dict[Key, Any], data))
    block[head] = _replaced(block[head], rest, value) if rest else value
    return block
