#!/usr/bin/env bash
# Unpacks NIXL once for each content of this folder, and prints the folder that holds it. usage: fetch.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../../images/lib.sh
. "$here/../../../images/lib.sh"
out=$cache/nixl/$(content_hash nixl tests/campaign/nixl)
if [ ! -d "$out" ]; then
  say "nixl: fetching"
  mkdir -p "$cache/nixl"
  work=$(mktemp -d "$cache/nixl/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  wheels "$here/requirements.txt" "$work"
  chmod -R u=rwX,go=rX "$work"
  mv "$work" "$out"
fi
echo "$out"
