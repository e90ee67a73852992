#!/usr/bin/env bash
# Makes a Python environment in the cache from a lock with hashes, and prints its directory.
# usage: venv.sh [NAME LOCK]   Without arguments that of lint and tests: venv tests/requirements.txt.
# Keyed by the lock: an unchanged one costs nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
name=${1:-venv} lock=$here/../../${2:-tests/requirements.txt}
uv_version=$(sed -n 's/^uv: *//p' "$here/../../versions.yaml")
python=${PYTHON:-$(command -v python3.11 || command -v python3)}
key=$({ cat "$lock" "$here/venv.sh"; "$python" -V; echo "$uv_version"; } | sha256sum | cut -c1-12)
venv=$cache/$name-$key
mkdir -p "$cache"
exec 9> "$cache/.$name-lock"; flock 9
if [ ! -f "$venv/.done" ]; then
  echo "venv: installing ${2:-tests/requirements.txt}" >&2
  rm -rf "$venv"; "$python" -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check "uv==$uv_version"
  UV_NATIVE_TLS=1 "$venv/bin/uv" pip install -q --python "$venv/bin/python" --no-cache --no-build --require-hashes -r "$lock"
  touch "$venv/.done"
fi
ln -sfn "$venv" "$cache/$name"
# Earlier locks' environments; a venv holds absolute paths, so each has a directory of its own.
for old in "$cache/$name"-*; do [ "$old" = "$venv" ] || rm -rf "$old"; done
echo "$cache/$name"
