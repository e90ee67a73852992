#!/usr/bin/env bash
# Runs serve_app.impact with this machine's Python: from the checkout that the plugin was installed from, or from where
# HELM_IMPACT_PYTHON finds it. Helm has taken --namespace, --kube-context and --kubeconfig off the arguments; its own
# commands read them from the environment.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
[ -d "$root/serve_app/impact" ] && export PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
python=${HELM_IMPACT_PYTHON:-python3}
"$python" -c 'import serve_app.impact, yaml' 2> /dev/null || {
  echo "ERROR: $python has no serve_app or no PyYAML: clone the repository and install the plugin from there, pip install PyYAML, or set HELM_IMPACT_PYTHON" >&2
  exit 1
}
[ $# -gt 0 ] || set -- --help
exec "$python" -m serve_app.impact "$@"
