#!/usr/bin/env bash
# Resolves the images' requirements into locks with hashes, for Linux on x86_64 and the Pythons of versions.yaml.
# usage: lock.sh [--upgrade]   Without it, versions that are locked already stay where they still satisfy their inputs.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
uv=$(uv_program)
cd "$repo/images"
compile() { # PYTHON INPUT OUTPUT [OPTION...]
  say "lock: $3"
  UV_CUSTOM_COMPILE_COMMAND=images/lock.sh nice "$uv" pip compile --quiet --generate-hashes \
    --python-version "$1" --python-platform x86_64-manylinux_2_28 "$2" -o "$3" "${@:4}"
}
python=$(version python)
compile "$python" serve/requirements-cpu.in serve/requirements-cpu.txt --overrides serve/overrides-cpu.txt "$@"
compile "$python" serve/requirements-cuda.in serve/requirements-cuda.txt "$@"
compile "$python" serve/requirements-azure.in serve/requirements-azure.txt -c serve/requirements-cpu.txt -c serve/requirements-cuda.txt "$@"
compile "$python" serve/requirements-agents.in serve/requirements-agents.txt -c serve/requirements-cpu.txt -c serve/requirements-cuda.txt "$@"
compile "$python" serve/requirements-torch-pypi.in serve/requirements-torch-pypi.txt --no-deps "$@"
for folder in models/smollm2 models/minilm campaign/nixl; do
  compile "$python" "../tests/$folder/requirements.in" "../tests/$folder/requirements.txt" --no-deps "$@"
done
compile "$(version gatewayPython)" ../pyproject.toml gateway/requirements.txt --extra gateway "$@"
compile "$(version gatewayPython)" ../pyproject.toml data/requirements.txt --extra data "$@"
index=https://download.pytorch.org/whl/cpu
if curl -s -o /dev/null --connect-timeout 3 -m 10 "$index/"; then
  compile "$python" serve/requirements-torch-cpu.in serve/requirements-torch-cpu.txt --no-deps --default-index "$index" "$@"
else
  say "lock: $index cannot be reached; requirements-torch-cpu.txt stays as it is"
fi
