"""Peers in their own environment: made once, one process per program, JSON lines between."""

import json
import subprocess
import sys
import venv
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv-peers"
_HERE = Path(__file__).parent / "peers"
_PYTHON = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def install() -> None:
    """Make the environment of the peers, unless it holds what is asked for already."""
    wanted = (_HERE / "requirements.txt").read_text("utf-8")
    done = ENVIRONMENT / "installed.txt"
    if done.exists() and done.read_text("utf-8") == wanted:
        return
    print(f"making {ENVIRONMENT.name} and installing the peers: a few minutes, once")
    if not _PYTHON.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(_HERE / "requirements.txt")], check=True)
    done.write_text(wanted, "utf-8")


class Peer:
    """One program in a process of its own; use as a context manager."""

    def __init__(self, name: str, folder: Path) -> None:
        """Start the worker; its own output goes to a file in ``folder``."""
        self.name, self._folder = name, folder
        self._log = (folder / f"{name}.log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            [str(_PYTHON), str(_HERE / "worker.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=folder,
            text=True,
        )
        self.versions: dict[str, str] = self._answer()["versions"]

    def __enter__(self) -> Self:
        """Return the peer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the worker."""
        self._process.communicate()
        self._log.close()

    def measure(self, case: str, payload: str, points: int) -> dict[str, float]:
        """Return wall time and CPU time per point, ms."""
        asked = {"case": case, "payload": payload, "points": points, "folder": str(self._folder)}
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            log = Path(self._log.name).read_text("utf-8")
            message = f"{self.name} has failed:\n{log[-2000:]}"
            raise RuntimeError(message)
        return json.loads(line)
