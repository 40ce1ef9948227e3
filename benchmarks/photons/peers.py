"""The other programs that read and correlate time tags, in the environment that holds them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

__all__ = ["Peer", "peers_python"]

ROOT = Path(__file__).parents[2]


class Peer:
    """The other programs in a process of their own."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("peer.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def seconds(self, case: str, path: Path) -> float:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps({"case": case, "path": str(path)}) + "\n")
            self._process.stdin.flush()
        return float(self._answer()["s"])

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the other programs have failed, see above")
        return json.loads(line)


def peers_python() -> Path | None:
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    found = Path(os.environ.get("LABCTL_CLIENTS_PYTHON", ROOT / ".venv-clients" / inside))
    return found if found.exists() else None
