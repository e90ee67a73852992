#!/usr/bin/env bash
# Runs in the image's build: installs one lock into /opt/venv. usage: install.sh LOCK [INDEX_URL]
# uv and its cache leave with the step: on one file system uv links instead of copying, and the layer holds the result.
set -euo pipefail
lock=$1 index=${2:-}
# pip brings its own certificates; the system's also hold those of a proxy in between, where there is one.
export PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1
export UV_NATIVE_TLS=1 UV_CACHE_DIR=/opt/uv/cache
python3 -m venv /opt/uv
/opt/uv/bin/pip install --quiet --no-cache-dir "uv==${UV_VERSION:?}"
if [ ! -d /opt/venv ]; then
  /opt/uv/bin/uv --quiet venv --python "$(command -v python3)" /opt/venv
  # serve_app is found through a .pth file of the environment, so that PYTHONPATH stays the user's.
  echo /opt/app > "$(echo /opt/venv/lib/python3.*/site-packages)/app.pth"
fi
/opt/uv/bin/uv --quiet pip install --python /opt/venv --no-deps --require-hashes ${index:+--index-url "$index"} -r "$lock"
rm -rf /opt/uv
