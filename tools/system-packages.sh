#!/usr/bin/env bash
# Looks whether Qt and a virtual screen can run; on Debian, installs what is missing.
# Usage: system-packages.sh PYTHON
set -euo pipefail

python=$1
packages=(
  libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libx11-xcb1 libxcb-icccm4 libxcb-image0
  libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1
  libxkbcommon-x11-0 xauth xvfb
)

qt_starts() {
  QT_QPA_PLATFORM=offscreen "$python" -c \
    'from PyQt5.QtWidgets import QApplication; QApplication([])' >/dev/null 2>&1
}

qt_has_its_libraries() {
  local folder
  folder=$("$python" -c 'import PyQt5, pathlib; print(pathlib.Path(PyQt5.__file__).parent)')
  ! ldd "$folder/Qt5/plugins/platforms/libqxcb.so" | grep -q 'not found'
}

complete() {
  command -v Xvfb >/dev/null && qt_starts && qt_has_its_libraries
}

if [[ $(uname -s) != Linux ]] || complete; then
  exit 0
fi
if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
  as_root=()
elif command -v apt-get >/dev/null && sudo --non-interactive true 2>/dev/null; then
  as_root=(sudo --non-interactive)
else
  echo "Tests of the window need Qt's system libraries and Xvfb; please install (Debian names):" >&2
  echo "  ${packages[*]}" >&2
  [[ ${CI:-} != true ]]
  exit
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends)
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" "${install[@]}" "${packages[@]}"; } \
  </dev/null >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
if ! complete; then
  echo "Qt still cannot start although these packages are installed: ${packages[*]}" >&2
  exit 1
fi
