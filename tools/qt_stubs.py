"""Writes ``typings/PyQt5``: of PyQt5's own stubs only what the window uses, in a stricter form.

PyQt5's stubs leave slots untyped, name parameters ``a0`` and call everything optional that is a
pointer in C++; a strict checker cannot live with that. Run it again after using another class or
method of Qt: ``python tools/qt_stubs.py``.
"""

import ast
import re
from pathlib import Path

import PyQt5

ROOT = Path(__file__).parents[1]
SOURCES = (
    ROOT / "labctl" / "gui",
    ROOT / "tests" / "labctl" / "gui",
    ROOT / "typings" / "pyqtgraph",
    ROOT / "benchmarks",
    ROOT / "tools" / "walk.py",
)
MODULES = ("QtCore", "QtGui", "QtWidgets")
HEAD = '''"""Written by tools/qt_stubs.py; do not edit."""

from collections.abc import Callable
from typing import Any, ClassVar, overload

'''
SLOT = " | ".join(f"Callable[[{', '.join(['Any'] * n)}], Any]" for n in range(4))
IMPORTED = {"QtCore": (), "QtGui": ("QtCore",), "QtWidgets": ("QtCore", "QtGui")}


def main() -> None:
    """Write all modules."""
    used = _used_names()
    trees = {name: _tree(name) for name in MODULES}
    classes = {
        name: {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        for name, tree in trees.items()
    }
    kept = _closure(classes, used)
    folder = ROOT / "typings" / "PyQt5"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.pyi").write_text("", "utf-8")
    for name in MODULES:
        body = [
            _class(node, used, name)
            for node in classes[name].values()
            if node.name in kept[name] and node.name not in ("pyqtSignal", "pyqtBoundSignal")
        ]
        imports = "".join(f"from PyQt5 import {other}\n" for other in IMPORTED[name])
        text = HEAD + imports + (SIGNALS if name == "QtCore" else "") + "\n\n".join(body) + "\n"
        (folder / f"{name}.pyi").write_text(text, "utf-8")


SIGNALS = f"""
class pyqtSignal:
    def __init__(self, *types: Any) -> None: ...
    def __get__(self, instance: Any, owner: Any) -> pyqtBoundSignal: ...

class pyqtBoundSignal:
    def __getitem__(self, key: object) -> pyqtBoundSignal: ...
    def connect(self, slot: {SLOT} | pyqtBoundSignal) -> Any: ...
    def disconnect(self, slot: {SLOT} | pyqtBoundSignal = ...) -> None: ...
    def emit(self, *args: Any) -> None: ...

"""


def _used_names() -> set[str]:
    files = [file for one in SOURCES for file in ([one] if one.is_file() else one.rglob("*.py*"))]
    text = "\n".join(file.read_text("utf-8") for file in files if file.suffix in (".py", ".pyi"))
    return set(re.findall(r"\w+", text)) | {"sip", "QObject"}


def _tree(module: str) -> ast.Module:
    path = Path(PyQt5.__file__).parent / f"{module}.pyi"
    return ast.parse(path.read_text("utf-8"), type_comments=True)


def _closure(classes: dict[str, dict[str, ast.ClassDef]], used: set[str]) -> dict[str, set[str]]:
    """Return the classes of each module that are used, are bases, or stand in signatures."""
    kept = {name: {"QObject"} & set(found) | (set(found) & used) for name, found in classes.items()}
    grown = True
    while grown:
        before = sum(len(names) for names in kept.values())
        for module in MODULES:
            for name in list(kept[module]):
                text = _class(classes[module][name], used, module)
                for other in MODULES:
                    seen = set(re.findall(rf"\b{other}\.(\w+)", text))
                    seen |= set(re.findall(r"\w+", text)) if other == module else set()
                    kept[other] |= seen & set(classes[other])
        grown = sum(len(names) for names in kept.values()) > before
    return kept


def _class(node: ast.ClassDef, used: set[str], module: str) -> str:
    wanted = node.name in used
    lines = [line for item in node.body for line in _member(item, used, module, wanted)]
    bases = [_typed(ast.unparse(base), module) for base in node.bases]
    bases = [base for base in bases if not re.match(r"Any$|PyQt5\.", base)]
    head = f"class {node.name}({', '.join(bases)}):" if bases else f"class {node.name}:"
    return "\n".join([head, *(f"    {line}" for line in lines or ["..."])])


def _member(item: ast.stmt, used: set[str], module: str, wanted: bool) -> list[str]:
    match item:
        case ast.ClassDef():
            return _class(item, used | ({item.name}), module).splitlines()
        case ast.FunctionDef() if item.name in used or item.name.startswith("__"):
            return _function(item, module) if wanted or item.name in used else []
        case ast.Assign(type_comment=str(kind)):
            names = [ast.unparse(target) for target in item.targets]
            return [f"{n}: {_typed(kind, module)}" for n in names if n in used]
        case ast.AnnAssign() if ast.unparse(item.target) in used:
            name, kind = ast.unparse(item.target), ast.unparse(item.annotation)
            signal = "pyqtSignal" in kind
            owner = "" if module == "QtCore" else "QtCore."
            typed = f"ClassVar[{owner}pyqtSignal]" if signal else _typed(kind, module)
            return [f"{name}: {typed}"]
        case _:
            return []


def _function(item: ast.FunctionDef, module: str) -> list[str]:
    if item.name == "__hash__":
        return []
    for argument in [*item.args.args, *item.args.kwonlyargs]:
        # Qt calls these itself, and never with nothing.
        called = item.name.endswith(("Event", "MimeData"))
        argument.annotation = _annotation(argument.annotation, module, there=called)
    # Qt knows no names of parameters: what overrides a method may call them as it likes.
    if item.name != "__init__" and len(item.args.args) > 1:
        item.args.posonlyargs, item.args.args = item.args.args, []
    if item.args.vararg is not None:
        item.args.vararg.annotation = _annotation(item.args.vararg.annotation, module)
    item.returns = _annotation(item.returns, module, there=True)
    decorators = [ast.unparse(one).rpartition(".")[2] for one in item.decorator_list]
    lines = ast.unparse(item).splitlines()
    head = next(line for line in lines if line.startswith("def "))
    return [*(f"@{one}" for one in decorators), f"{head.rstrip()} ..."]


def _annotation(found: ast.expr | None, module: str, *, there: bool = False) -> ast.expr | None:
    if found is None:
        return ast.parse("Any", mode="eval").body
    text = _typed(ast.unparse(found), module)
    if there:
        text = re.sub(r"^Optional\[(.*)\]$", r"\1", text)
    text = re.sub(r"\bOptional\[(.*)\]", r"\1 | None", text)
    return ast.parse(text, mode="eval").body


def _typed(text: str, module: str) -> str:
    text = text.replace("'", "").replace('"', "").replace("typing.", "")
    text = text.replace(f"{module}.", "").replace("Iterable[", "list[").replace("List[", "list[")
    text = text.replace("Tuple[", "tuple[").replace("Type[", "type[").replace("Dict[", "dict[")
    text = re.sub(r"\b(PyQt5\.)?(QtCore\.)?PYQT_SLOT\b", SLOT, text)
    text = re.sub(r"(QtCore\.)?Qt\.GlobalColor", "int", text)
    while "Union[" in text:
        text = re.sub(r"Union\[((?:[^\[\]]|\[[^\[\]]*\])*)\]", _alternatives, text)
    return re.sub(r"\b(PyQt5\.)?sip\.\w+|\bSequence\b(?!\[)", "Any", text)


def _alternatives(found: "re.Match[str]") -> str:
    return " | ".join(_split(found.group(1)))


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


if __name__ == "__main__":
    main()
