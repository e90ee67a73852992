#!/usr/bin/env bash
# Installs npm packages from a lock into the cache, and prints the directory that holds node_modules.
# usage: npm.sh NAME FOLDER   FOLDER has package.json and package-lock.json; an unchanged lock costs nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$("$here/../tools/venv.sh" clients-venv tests/clients/requirements.txt) # which has node
name=$1 folder=$2 modules=${venv%/*}/$1
exec 9> "${venv%/*}/.$name-lock"; flock 9
if ! cmp -s "$folder/package-lock.json" "$modules/installed.json"; then
  echo "npm: installing $name" >&2
  rm -rf "$modules"; mkdir "$modules"
  cp "$folder"/package{,-lock}.json "$modules"
  PATH=$venv/bin:$PATH npm ci --prefix "$modules" --ignore-scripts --no-audit --no-fund --loglevel error >&2
  cp "$modules/package-lock.json" "$modules/installed.json"
fi
echo "$modules"
