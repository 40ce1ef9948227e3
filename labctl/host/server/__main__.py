"""The engine's process: its request stands on the command line as JSON."""

import os
import signal
import sys
from types import FrameType

from labctl.errors import LabctlError
from labctl.host.server import EngineRequest, serve_engine


def main() -> int:
    """Serve; returns the exit status."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        serve_engine(EngineRequest.model_validate_json(sys.argv[1]))
    except LabctlError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
