#!/usr/bin/env bash
# Makes a Python environment in the cache for the gateway, by its image's lock, and for each peer that has a lock here,
# with hashes; one whose lock has not changed costs nothing. All have the Python of the gateway's image: one that was
# built without profile-guided optimization, as pyenv builds them, is a third slower. Prints the folder of all.
# usage: install.sh [--lock]   --lock resolves the locks anew.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
uv=$cache/venv/bin/uv   # of tests/tools/venv.sh
python=$("$here/../../../tools/gateway_python.sh")
export UV_NATIVE_TLS=1
cd "$here"
if [ "${1:-}" = --lock ]; then
  for wanted in *.in; do
    "$uv" pip compile -q --upgrade --python "$python" --no-build --generate-hashes \
      --custom-compile-command "tests/bench/gateway/peers/install.sh --lock" "$wanted" -o "${wanted%.in}.txt"
  done
fi
mkdir -p "$cache/peers"
exec 9> "$cache/peers/.lock"; flock 9
for lock in *.txt ../../../../images/gateway/requirements.txt; do
  name=$(basename "${lock/requirements/gateway}" .txt)
  key=$({ cat "$lock"; echo "$python"; "$python" -VV; } | sha256sum | cut -c1-12)
  venv=$cache/peers/$name
  if [ "$(cat "$venv/.done" 2> /dev/null)" != "$key" ]; then
    echo "peers: installing $lock" >&2
    rm -rf "$venv"; "$python" -m venv --without-pip "$venv"
    "$uv" pip install -q --python "$venv/bin/python" --no-cache --no-build --require-hashes -r "$lock"
    echo "$key" > "$venv/.done"
  fi
done
echo "$cache/peers"
