#!/usr/bin/env bash
# Runs in the cpu image's build with TORCH=pypi only: cuda_stubs.py, and the tools that it needs for as long as it runs.
set -euo pipefail
apt-get update -q && apt-get install -yq --no-install-recommends binutils
python3 /opt/build/cuda_stubs.py /opt/venv/lib/python3*/site-packages
apt-get purge -yq --autoremove binutils
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/log/apt /var/cache/ldconfig/aux-cache
