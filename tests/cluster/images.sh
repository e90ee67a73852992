#!/usr/bin/env bash
# Makes the images that only this cluster needs, without a registry, and imports those that its containerd lacks.
# usage: images.sh NAME...   (directories of images/)   Standard output: NAME=REF; standard error: what is being done.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -gt 0 ] || die "usage: images.sh NAME...; the names are: $(cd "$here/images" && echo *)"
[ -S "$socket" ] || die "$socket is not there: run tests/cluster/up.sh first"
key_label=ray-vllm-stack/key

unpack_debs() { # DIRECTORY PACKAGE...: their files, with no package's scripts run
  local debs=$tmp/debs to=$1 deb; shift
  mkdir -p "$debs" "$to"
  (cd "$debs" && { apt-get -qq download "$@" 2> /dev/null || (apt-get -qq update && apt-get -qq download "$@"); }) >&2
  for deb in "$debs"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$to" --exclude=./usr/share/{doc,man,locale,info}
  done
}
make_image() { # NAME REF KEY, with what its image.sh has set
  local binary; began=$EPOCHREALTIME
  for binary in "${binaries[@]}"; do
    [ -x "$bin/$binary" ] || die "$bin/$binary is missing: run tests/tools/build.sh"
  done
  prepare
  "$here/mkimage.py" -o "$tmp/$1.tar" -t "$2" "${arguments[@]}"
  ctr images import --snapshotter overlayfs "$tmp/$1.tar" > /dev/null
  ctr images label "$2" "$key_label=$3" > /dev/null
  say "image $1: made and imported, $(($(stat -c %s "$tmp/$1.tar") / 1048576)) MiB" >&2
  rm -rf "${tmp:?}"/*
}
key() { # NAME BINARY...: of what goes into the image; a built tool's real path holds the key of its sources
  { cat "$here/mkimage.py" "$here/images/$1/"*; for binary in "${@:2}"; do readlink -f "$bin/$binary"; done; } |
    sha256sum | cut -c1-16
}
tmp=$(mktemp -d -p "$state" .image-XXXXXX)
trap 'rm -rf "$tmp"' EXIT
for name in "$@"; do
  [ -f "$here/images/$name/image.sh" ] || die "no image \"$name\"; the names are: $(cd "$here/images" && echo *)"
  ref='' binaries=() arguments=()
  prepare() { :; }
  # shellcheck source=/dev/null
  . "$here/images/$name/image.sh"
  key=$(key "$name" "${binaries[@]}")
  [ -n "$(ctr images ls -q "name==$ref,labels.\"$key_label\"==$key")" ] || make_image "$name" "$ref" "$key"
  echo "$name=$ref"
done
