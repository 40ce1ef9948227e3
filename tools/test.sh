#!/usr/bin/env bash
# Sets everything up, checks, and runs all tests; the last line is pytest's own.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

make --no-print-directory -j 2 environments
make --no-print-directory system-packages
set_up_s=$SECONDS
make --no-print-directory check
checks_s=$((SECONDS - set_up_s))

# One file of tests stays in one process, so that what its tests share is made once.
export LABCTL_SHARE_SECONDS="set-up=$set_up_s checks=$checks_s"
exec .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 10 "$@"
