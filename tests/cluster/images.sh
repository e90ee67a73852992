#!/usr/bin/env bash
# Makes the images that only this cluster needs, without a registry, and imports those that its containerd lacks.
# usage: images.sh NAME...   (a directory of images/)   Prints NAME=REF on standard output, what it does on standard error.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ $# -gt 0 ] || die "usage: images.sh NAME...; the names are: $(cd "$here/images" && echo *)"
[ -S "$socket" ] || die "$socket is not there: run tests/cluster/up.sh first"
key_label=ray-vllm-stack/key
architecture=$(dpkg --print-architecture 2> /dev/null || echo amd64)

unpack_debs() { # DIRECTORY PACKAGE...: their files, with no package's scripts run
  local debs=$cache/debs to=$1 deb; shift
  mkdir -p "$debs" "$to"
  ( cd "$debs" && for package in "$@"; do
      version=$(apt-cache show --no-all-versions "$package" 2> /dev/null | sed -n 's/^Version: //p')
      [ -n "$version" ] && [ -f "${package}_${version//:/%3a}_$architecture.deb" ] || missing+=("$package")
    done
    [ -z "${missing[*]:-}" ] || apt-get download -qq "${missing[@]}" 2> /dev/null ||
      { apt-get update -qq && apt-get download -qq "${missing[@]}"; } ) >&2
  for package in "$@"; do
    deb=$(find "$debs" -name "${package}_*.deb" -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2)
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$to" --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
  done
}
make_image() ( # NAME REF KEY: in a subshell, since each image.sh sets its own names
  binaries=() arguments=()
  prepare() { :; }
  # shellcheck source=/dev/null
  . "$here/images/$1/image.sh"
  for binary in "${binaries[@]}"; do
    [ -x "$bin/$binary" ] || die "$bin/$binary is missing: run tests/tools/build.sh"
  done
  began=$EPOCHREALTIME
  prepare
  "$here/mkimage.py" -o "$tmp/$1.tar" -t "$2" "${arguments[@]}"
  ctr images import --snapshotter overlayfs "$tmp/$1.tar" > /dev/null
  ctr images label "$2" "$key_label=$3" > /dev/null
  say "image $1: made and imported, $(($(stat -c %s "$tmp/$1.tar") / 1048576)) MiB" >&2
  rm -rf "${tmp:?}"/*
)
key() { # NAME: of what goes into it; a built tool's real path holds the key of its sources
  { cat "$here/mkimage.py" "$here/images/$1/"*; (. "$here/images/$1/image.sh"; for b in "${binaries[@]:-}"; do readlink -f "$bin/$b"; done); } |
    sha256sum | cut -c1-16
}
tmp=$(mktemp -d -p "$state" .image-XXXXXX)
trap 'rm -rf "$tmp"' EXIT
for name in "$@"; do
  [ -f "$here/images/$name/image.sh" ] || die "no image \"$name\"; the names are: $(cd "$here/images" && echo *)"
  ref=$(. "$here/images/$name/image.sh"; echo "$ref")
  key=$(key "$name")
  [ -n "$(ctr images ls -q "name==$ref,labels.\"$key_label\"==$key")" ] || make_image "$name" "$ref" "$key"
  echo "$name=$ref"
done
