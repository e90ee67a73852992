#!/usr/bin/env bash
# Makes the Python environment of lint and tests in the cache: tests/requirements.txt, with hashes, and serve_app's path.
# Keyed by the lock: an unchanged one costs nothing. Prints the environment's directory.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
uv_version=$(sed -n 's/^uv: *//p' "$here/../../versions.yaml")
python=${PYTHON:-$(command -v python3.11 || command -v python3)}
key=$({ cat "$here/../requirements.txt" "$here/venv.sh"; "$python" -V; echo "$uv_version"; } | sha256sum | cut -c1-12)
venv=$cache/venv-$key
mkdir -p "$cache"
exec 9> "$cache/.venv-lock"; flock 9
if [ ! -f "$venv/.done" ]; then
  echo "venv: installing tests/requirements.txt" >&2
  rm -rf "$venv"; "$python" -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check "uv==$uv_version"
  UV_NATIVE_TLS=1 "$venv/bin/uv" pip install -q --python "$venv/bin/python" --no-cache --no-build --require-hashes -r "$here/../requirements.txt"
  touch "$venv/.done"
  # Earlier locks' environments; a venv holds absolute paths, so each has a directory of its own.
  for old in "$cache"/venv-*; do [ "$old" = "$venv" ] || rm -rf "$old"; done
fi
ln -sfn "$venv" "$cache/venv"
echo "$cache/venv"
