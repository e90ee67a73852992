#!/usr/bin/env bash
# Makes sure that buildah has a base image of the Dockerfiles. usage: base.sh TAG
# It is the ordinary public image wherever a registry can be reached. Where none can, a Debian of the same release and
# the same Python is made by debootstrap and tagged with the public image's name, for local use only: the Dockerfiles
# stay the public ones. With docker there is nothing to do, it pulls by itself.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tag=${1:?usage: base.sh TAG}
release=${tag##*-}  # Debian's, with which the names of these images end
have_image buildah "$tag" && exit 0
mkdir -p "$cache/buildah/tmp"
host=${tag%%/*}
[ "$host" != docker.io ] || host="registry-1.docker.io"
if curl -s -o /dev/null --connect-timeout 3 -m 10 "https://$host/v2/"; then
  say "base: pulling $tag"
  bah pull -q "$tag" >/dev/null && exit 0
  say "base: the pull failed"
fi
command -v debootstrap >/dev/null ||
  die "no registry can be reached for $tag, and debootstrap is not installed: apt-get install debootstrap"
say "base: no registry can be reached; making $tag by debootstrap (a minute)"
work=$(mktemp -d "$cache/buildah/tmp/base.XXXXXX")
trap 'rm -rf "$work"' EXIT
nice debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$release" "$work/root" \
  ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; die "debootstrap failed"; }
ln -sf python3 "$work/root/usr/bin/python"
rm -rf "$work/root"/var/cache/apt/archives/*.deb "$work/root"/var/lib/apt/lists/* "$work/root"/usr/share/doc/*
c=$(bah from scratch)
tar -C "$work/root" --numeric-owner -cf "$work/base.tar" .
bah add -q "$c" "$work/base.tar" / >/dev/null
bah config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$c"
bah commit -q --rm "$c" "$tag" >/dev/null
