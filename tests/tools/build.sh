#!/usr/bin/env bash
# Builds the project's tools, each a directory here: go.mod and go.sum pin it, recipe.sh says what to build.
# usage: build.sh [TOOL...]   (default: all, those that the local cluster needs first)
# A built tool is kept in the cache, keyed by its directory's content and the Go version: unchanged pins cost nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
all=(pause hostpath-provisioner etcd kube coredns helm4 kuberay-operator kuberay-rules crds
  helm-unittest karpenter-kwok kwok argolua versitygw actionlint ct kubeconform helm-docs helm3 prometheus-operator prometheus)
[ $# -gt 0 ] || set -- "${all[@]}"

# Go's caches live below our own, so that they can be dropped without touching anybody else's. -mod=mod would edit pins.
export GOMODCACHE=$cache/go/mod GOCACHE=$cache/go/build GOFLAGS="-buildvcs=false -mod=readonly -modcacherw" CGO_ENABLED=0

# Debian 12's Go 1.19 is too old for our modules and to fetch a newer toolchain by itself, but it can download the module
# that holds one. Newer Go versions follow the `go` lines of go.mod on their own.
toolchain() {
  command -v go > /dev/null || { echo "tools: there is no go on the PATH; apt-get install golang-go" >&2; exit 1; }
  local module dir=$cache/go-toolchain
  module=golang.org/toolchain@v0.0.1-go1.26.8.linux-$(dpkg --print-architecture 2> /dev/null || echo amd64)
  case $(go env GOVERSION) in go1.?.* | go1.1?.* | go1.20.*) ;; *) return ;; esac
  if [ ! -x "$dir/bin/go" ]; then
    echo "tools: fetching Go 1.26.8, since $(go env GOVERSION) is too old" >&2
    rm -rf "$dir"
    (cd / && GOFLAGS=-modcacherw go mod download "$module" && cp -r "$GOMODCACHE/$module" "$dir")
    chmod -R u+w "$dir"; chmod +x "$dir"/bin/* "$dir"/pkg/tool/*/*
  fi
  export PATH=$dir/bin:$PATH GOTOOLCHAIN=local
}

# What recipe.sh files use; they run in their own directory, with $out to fill.
go_build() { go build -trimpath -tags "${4:-}" -ldflags "-s -w ${3:-}" -o "$out/bin/$1" "$2"; } # OUT PACKAGE [LDFLAGS] [TAGS]
module_version() { go list -m -f '{{.Version}}' "$1"; }
module_dir() { go mod download "$1" && go list -m -f '{{.Dir}}' "$1"; }

cached_go_mb() { if [ -d "$cache/go" ]; then du -sm "$cache/go" | cut -f1; else echo 0; fi; }
key() { { cat "$here/$1"/*; declare -f go_build; go env GOVERSION; } | sha256sum | cut -c1-12; } # TOOL
build() { # TOOL: into $out, with a line every 30 s
  local start=$SECONDS pid
  # shellcheck disable=SC1091
  (cd "$here/$1" && set -euo pipefail && . ./recipe.sh) > "$out/build.log" 2>&1 &
  pid=$!
  while kill -0 $pid 2> /dev/null; do
    sleep 1
    (((SECONDS - start) % 30 != 0 || SECONDS == start)) || printf 'tools: %s: building for %d s\n' "$1" $((SECONDS - start)) >&2
  done
  wait $pid || { tail -20 "$out/build.log" >&2; echo "tools: $1 did not build; the log is $out/build.log" >&2; exit 1; }
  printf 'tools: %s: built in %d s, %d MiB\n' "$1" $((SECONDS - start)) "$(du -sm "$out" | cut -f1)" >&2
}

mkdir -p "$cache/bin" "$cache/tools"
toolchain
exec 9> "$cache/tools/.lock"; flock 9   # clones share the cache
built=0
for tool in "$@"; do
  [ -f "$here/$tool/recipe.sh" ] || { echo "tools: there is no tool \"$tool\"; the tools are: ${all[*]}" >&2; exit 2; }
  dir=$cache/tools/$tool-$(key "$tool")
  if [ ! -d "$dir" ]; then
    [ "$(df --output=avail -m "$cache" | tail -1)" -gt 12000 ] || { echo "tools: building $tool needs 12 GB free at $cache" >&2; exit 1; }
    out=$dir.new; rm -rf "$out"; mkdir -p "$out/bin"
    build "$tool"
    rm -rf "$(readlink "$cache/tools/$tool" || echo "$out.none")"; mv "$out" "$dir"; built=1
    # One tool's sources and objects help the next, until they get large.
    [ "$(cached_go_mb)" -lt 11000 ] || rm -rf "$cache/go"
  fi
  ln -sfn "$dir" "$cache/tools/$tool"
  for b in "$dir"/bin/*; do [ ! -e "$b" ] || ln -sfn "../tools/$tool/bin/${b##*/}" "$cache/bin/${b##*/}"; done
done
[ $built = 0 ] || rm -rf "$cache/go"
