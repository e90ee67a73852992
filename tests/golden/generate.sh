#!/usr/bin/env bash
# Writes the golden files, what each file of values/ renders, and the table of docs/models.md. Review their diff like code.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PYTHONPATH=$PWD exec python -m tests.golden
