#!/usr/bin/env bash
# Installs what the programs under programs/ need into the cache, from the locks: Python packages, node, npm packages.
# Prints two directories: the Python environment, and the one that holds node_modules.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$("$here/../tools/venv.sh" clients-venv tests/clients/requirements.txt)
modules=${venv%/*}/clients-npm
exec 9> "${venv%/*}/.clients-npm-lock"; flock 9
if ! cmp -s "$here/programs/package-lock.json" "$modules/installed.json"; then
  echo "npm: installing tests/clients/programs/package-lock.json" >&2
  rm -rf "$modules"; mkdir "$modules"
  cp "$here"/programs/package{,-lock}.json "$modules"
  PATH=$venv/bin:$PATH npm ci --prefix "$modules" --ignore-scripts --no-audit --no-fund --loglevel error >&2
  cp "$modules/package-lock.json" "$modules/installed.json"
fi
printf '%s\n' "$venv" "$modules"
