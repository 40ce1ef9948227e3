"""Checks a product before it takes its name: units, classes, default plot, links."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from labctl.storage._h5 import H5Node, open_tree


def lint_product(path: Path) -> list[str]:
    """Return everything that is wrong with the structure of a product; empty if it is sound.

    Every field of numbers needs ``@units``, every group ``@NX_class``; the chain of ``@default``
    leads to an NXdata whose signal and axes exist and fit; whatever has two names says by
    ``@target`` which one came first.

    Raises:
        StorageError: If it is no HDF5 file.
    """
    with open_tree(path) as root:
        nodes = list(_walk(root, set()))
        return [
            *(problem for node in nodes for problem in _node_problems(node)),
            *_link_problems(root, nodes),
            *_default_problems(root),
        ]


def _walk(node: H5Node, seen: set[H5Node]) -> Iterator[H5Node]:
    yield node
    if node in seen:
        return
    seen.add(node)
    for child in node.children():
        yield from _walk(child, seen)


def _node_problems(node: H5Node) -> Iterator[str]:
    if node.is_group:
        nx_class = node.attributes.get("NX_class")
        if not isinstance(nx_class, str):
            yield f"{node.path}: no NX_class"
        elif nx_class == "NXdata":
            yield from _data_problems(node)
    elif node.is_numeric and not isinstance(node.attributes.get("units"), str):
        yield f"{node.path}: numbers without units"


def _data_problems(node: H5Node) -> Iterator[str]:
    signal_name = node.attributes.get("signal")
    signal = node.find(signal_name) if isinstance(signal_name, str) else None
    if signal is None:
        yield f"{node.path}: the signal {signal_name!r} is missing"
        return
    axes = [str(axis) for axis in cast("Any", np.atleast_1d(node.attributes.get("axes", [])))]
    if len(axes) != len(signal.shape):
        yield f"{node.path}: {len(axes)} axes for {len(signal.shape)} dimensions of the signal"
        return
    for axis, length in zip(axes, signal.shape, strict=True):
        found = node.find(axis) if axis != "." else None
        if axis != "." and (found is None or found.shape != (length,)):
            yield f"{node.path}: axis {axis!r} is missing or not of length {length}"


def _link_problems(root: H5Node, nodes: list[H5Node]) -> Iterator[str]:
    names: dict[H5Node, list[str]] = {}
    for node in nodes:
        names.setdefault(node, []).append(node.path)
    for node, paths in names.items():
        target = node.attributes.get("target")
        if target is None and len(paths) > 1:
            yield f"{paths[0]}: has other names ({', '.join(paths[1:])}) but no target"
        elif target is not None and target not in paths:
            yield f"{paths[0]}: its target {target!r} is another object or missing"


def _default_problems(root: H5Node) -> Iterator[str]:
    node = root
    while node.attributes.get("NX_class") != "NXdata":
        name = node.attributes.get("default")
        found = node.find(name) if isinstance(name, str) else None
        if found is None:
            yield f"{node.path}: the default {name!r} leads nowhere"
            return
        node = found
