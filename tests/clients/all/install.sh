#!/usr/bin/env bash
# Installs one group of clients into the cache, from its lock, and prints where it is. Keyed by content: what is there
# already costs nothing.
# usage: install.sh agents|evaluation|javascript|go|rust
#        install.sh debian PACKAGE:COMMAND...
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../../images/lib.sh
. "$here/../../../images/lib.sh"
programs=tests/clients/all/programs

compiled() { # NAME COMMAND... -> the program that the command, run in the folder of the sources, writes to $out
  local name=$1 folder; shift
  folder=$cache/clients-$name-$(content_hash "$*" "$programs/$name")
  out=$folder/clients
  exec 9> "$cache/.clients-$name-lock"; flock 9
  if [ ! -x "$out" ]; then
    say "$name: building $programs/$name"
    rm -rf "$cache/clients-$name"-*; mkdir -p "$folder"
    (cd "$repo/$programs/$name" && out=$out folder=$folder "$@" >&2)
  fi
  echo "$out"
}
# shellcheck disable=SC2154 # out and folder come from compiled
build_go() { go build -mod=readonly -o "$out" .; }
# shellcheck disable=SC2154
build_rust() {
  cargo build --locked --target-dir "$folder/target" && cp "$folder/target/debug/clients" "$out" && rm -r "$folder/target"
}
needs() { # COMMAND OLDEST VERSION SENTENCE
  command -v "$1" > /dev/null || die "$1 is not installed; $4"
  [ "$(printf '%s\n' "$2" "$3" | sort -V | head -1)" = "$2" ] || die "$1 is $3, older than $2; $4"
}

mkdir -p "$cache"
case $1 in
  agents | evaluation)
    # What the lock leaves out on purpose would be missed by the installer too.
    UV_OVERRIDE=$here/requirements/override.txt "$repo/tests/tools/venv.sh" "clients-$1" "tests/clients/all/requirements/$1.txt" ;;
  javascript) "$here/../npm.sh" clients-javascript "$here/programs/javascript" ;;
  go)
    needs go 1.26 "$(go env GOVERSION 2> /dev/null | sed 's/^go//')" "install it from https://go.dev/dl/"
    compiled go build_go ;;
  rust)
    needs cargo 1.85 "$(cargo --version 2> /dev/null | cut -d' ' -f2)" "install it from https://rustup.rs/"
    compiled rust build_rust ;;
  debian) shift; "$repo/tests/cluster/packages.sh" "$@" >&2 ;;
  *) die "unknown group '$1', known: agents evaluation javascript go rust debian" ;;
esac
