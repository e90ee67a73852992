#!/usr/bin/env bash
# Makes a Python environment in the cache for the gateway, by its image's lock, and for each peer that has a lock here.
# All have the Python of the gateway's image: one that was built without profile-guided optimization, as pyenv builds
# them, takes a quarter more CPU for a request. usage: install.sh [--lock]   --lock resolves the locks anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../../.."
PYTHON=$(tests/tools/gateway_python.sh)
export PYTHON UV_NATIVE_TLS=1
here=tests/bench/gateway/peers
if [ "${1:-}" = --lock ]; then
  # shellcheck source=images/lib.sh
  . images/lib.sh
  for wanted in "$here"/*.in; do
    "$(uv_program)" pip compile -q --upgrade --python "$PYTHON" --no-build --generate-hashes \
      --custom-compile-command "$here/install.sh --lock" "$wanted" -o "${wanted%.in}.txt"
  done
fi
for lock in "$here"/*.txt images/gateway/requirements.txt; do
  tests/tools/venv.sh "bench/$(basename "${lock/requirements/gateway}" .txt)" "$lock"
done
