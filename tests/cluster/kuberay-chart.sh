#!/usr/bin/env bash
# Puts the chart of the KubeRay operator, on which ours depends, into charts/ray-vllm-stack/charts/: the published one
# where its repository can be reached, else a stand-in of that name and version from the operator module's manifests.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
version=$(sed -n 's/^kuberay: *//p' "$root/versions.yaml")
repository=https://ray-project.github.io/kuberay-helm/
name=kuberay-operator-$version.tgz
published=$cache/charts/$name
target=$root/charts/ray-vllm-stack/charts/$name
config=$cache/tools/kuberay-operator/config

version_of() { tar -xzOf "$1" kuberay-operator/Chart.yaml 2> /dev/null | sed -nE 's/^version: *"?([^"]*)"?$/\1/p'; }
put() { # FILE: replaces the one in place at one stroke; helm itself does not check a dependency's version
  local found; found=$(version_of "$1")
  [ "$found" = "$version" ] || die "$1 is version \"$found\" of kuberay-operator, versions.yaml says $version"
  mkdir -p "$(dirname "$target")"
  find "$(dirname "$target")" -name 'kuberay-operator-*.tgz' ! -name "$name" -delete
  cmp -s "$1" "$target" || { cp "$1" "$target.new"; mv "$target.new" "$target"; }
}
download() { # the repository's index answers soon, or it is out of reach; helm alone would wait for long
  curl -sfL -m 8 -o /dev/null "${repository}index.yaml" || return 1
  timeout 60 "$bin/helm" pull kuberay-operator --repo "$repository" --version "$version" --destination "$cache/charts" \
    > /dev/null
}
package() { # FILE: the same bytes for the same input
  local tmp chart; tmp=$(mktemp -d); chart=$tmp/kuberay-operator
  cp -r "$here/kuberay-chart" "$chart"
  sed -i "s/@version@/$version/" "$chart/Chart.yaml" "$chart/values.yaml"
  mkdir "$chart/crds" "$chart/files"
  cp "$config"/crd/bases/*.yaml "$chart/crds/"
  cp "$config"/rbac/{role,leader_election_role}.yaml "$chart/files/"
  tar -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' -C "$tmp" kuberay-operator |
    gzip -9n > "$1"
  rm -rf "$tmp"
}

mkdir -p "$cache/charts"
key=$({ cat "$here"/kuberay-chart/{*.yaml,templates/*} "$here/kuberay-chart.sh"; readlink -f "$config"; } | sha256sum)
stand_in=$cache/charts/stand-in-${key:0:16}-$name
if [ -f "$published" ] || { [ ! -f "$stand_in" ] && download; }; then
  put "$published"
  echo "KubeRay chart $version: published, from $repository"
elif [ -f "$stand_in" ]; then
  put "$stand_in"
  echo "KubeRay chart $version: stand-in, made when $repository was out of reach (to try again: rm $stand_in)"
else
  [ -d "$config" ] || die "$repository is out of reach, and for a stand-in: run tests/tools/build.sh kuberay-operator"
  rm -f "$cache"/charts/stand-in-*
  package "$stand_in"
  put "$stand_in"
  echo "KubeRay chart $version: $repository is out of reach; made a stand-in from the operator module's manifests"
fi
