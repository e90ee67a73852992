#!/usr/bin/env bash
# Makes a Python environment in the cache from a lock with hashes, and prints its directory.
# usage: venv.sh [NAME LOCK]   Without arguments that of lint and tests: venv tests/requirements.txt.
# Keyed by the lock: an unchanged one costs nothing. PYTHON is the Python to use, if not 3.11.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../images/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../images/lib.sh"
name=${1:-venv} lock=${2:-tests/requirements.txt}
python=${PYTHON:-$(command -v "python$(version python)" || command -v python3)}
key=$({ cat "$repo/$lock" "$repo/tests/tools/venv.sh"; echo "$python"; "$python" -VV; version uv; } | sha256sum | cut -c1-12)
venv=$cache/$name-$key
mkdir -p "$(dirname "$venv")"
exec 9> "$cache/$name.lock"; flock 9
if [ ! -f "$venv/.done" ]; then
  say "$name: installing $lock"
  uv=$(uv_program)
  rm -rf "$venv"; "$uv" venv -q --python "$python" "$venv"
  UV_NATIVE_TLS=1 "$uv" pip install -q --python "$venv/bin/python" --no-cache --no-build --require-hashes -r "$repo/$lock"
  ln -s "$uv" "$venv/bin/uv"
  touch "$venv/.done"
fi
ln -sfn "$venv" "$cache/$name"
# Earlier locks' environments; a venv holds absolute paths, so each has a directory of its own.
for old in "$cache/$name"-*; do [ "$old" = "$venv" ] || rm -rf "$old"; done
echo "$cache/$name"
