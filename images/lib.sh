# shellcheck shell=bash disable=SC2034
# Shared by build.sh, base.sh, load.sh, lock.sh and run.py: where things are kept, which engine builds. Sourced, bash.
images=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(dirname "$images")
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
registry=ghcr.io/ray-vllm-stack
# A storage of its own: nothing of ours appears among the user's images, and removing the cache removes all of it.
# Run state must not outlive a reboot, so it lies in /run.
storage=$cache/buildah/storage
runroot=/run/ray-vllm-stack/buildah-$(printf %s "$cache" | cksum | cut -d' ' -f1)

say() { printf '%s\n' "$*" >&2; }
die() { say "ERROR: $*"; exit 1; }
bah() { TMPDIR=$cache/buildah/tmp nice buildah --root "$storage" --runroot "$runroot" --storage-driver overlay "$@"; }
version() { # KEY -> its value in versions.yaml
  sed -nE "s/^$1: *\"?([^\" #]+)\"?.*/\1/p" "$repo/versions.yaml"
}
base_image() { # serve|gateway -> the public image of Python that it is built on
  case $1 in
    serve) echo "docker.io/library/python:$(version python)-slim-bookworm" ;;
    gateway) echo "docker.io/library/python:$(version gatewayPython)-slim-trixie" ;;
  esac
}
pick_engine() { # auto|buildah|docker -> the engine that works here
  case $1 in
    auto)
      if docker info >/dev/null 2>&1 </dev/null; then echo docker
      elif command -v buildah >/dev/null; then echo buildah
      else die "neither a running docker nor buildah was found; install one: apt-get install buildah"; fi ;;
    buildah | docker) command -v "$1" >/dev/null || die "$1 was asked for and is not installed"; echo "$1" ;;
    *) die "unknown engine '$1', known: auto buildah docker" ;;
  esac
}
have_image() { # ENGINE REF
  case $1 in
    docker) docker image inspect "$2" >/dev/null 2>&1 ;;
    buildah) bah inspect --type image "$2" >/dev/null 2>&1 ;;
  esac
}
uv_program() { # -> the uv of versions.yaml, made if it is not there
  local venv; venv=$cache/uv-$(version uv)
  [ -x "$venv/bin/uv" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check "uv==$(version uv)"; }
  echo "$venv/bin/uv"
}
files_of() { # PATH... -> every file below them, in a stable order
  find "$@" -type f -not -name '*.pyc' -not -path '*/.*_cache/*' | LC_ALL=C sort
}
wheels() { # REQUIREMENTS DIRECTORY: the locked packages unpacked there; wheels alone, so that nothing of them runs here
  UV_NATIVE_TLS=1 "$(uv_program)" pip install --quiet --target "$2" --no-deps --require-hashes --only-binary :all: \
    --python-version "$(version python)" --python-platform x86_64-manylinux_2_28 -r "$1"
}
content_hash() { # WORD PATH... -> eight hex digits of the word, and of the names and bytes of the files
  local word=$1; shift
  (cd "$repo" && { printf '%s\n' "$word"; files_of "$@" | xargs -d '\n' sha256sum; } | sha256sum | cut -c1-8)
}
