#!/usr/bin/env bash
# Ends the simulation's processes, those that up.sh recorded; their logs stay.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ -d "$state/run" ] || exit 0
stop 5 "${daemons[@]}"
rm -rf "$state"/{etcd,pki,run,*.kubeconfig,*.json}
