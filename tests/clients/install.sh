#!/usr/bin/env bash
# Installs what the programs under programs/ need into the cache, from the locks: Python packages, node, npm packages;
# and Java from Debian, if there is none. Prints two directories: the Python environment, and the one of node_modules.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/../cluster/packages.sh" openjdk-17-jdk-headless:javac >&2
"$here/../tools/venv.sh" clients-venv tests/clients/requirements.txt
"$here/npm.sh" clients-npm "$here/programs"
