#!/usr/bin/env bash
# Puts the KubeRay operator's chart, which ours depends on, into charts/ray-vllm-stack/charts/: the published one where its
# repository can be reached, else a stand-in of the same name and version from the operator module's own manifests.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
version=$(sed -n 's/^kuberay: *//p' "$root/versions.yaml")
repository=https://ray-project.github.io/kuberay-helm/
name=kuberay-operator-$version.tgz
published=$cache/charts/$name
target=$root/charts/ray-vllm-stack/charts/$name
config=$cache/tools/kuberay-operator/config

version_of() { tar -xzOf "$1" kuberay-operator/Chart.yaml 2> /dev/null | sed -nE 's/^version: *"?([^"]*)"?$/\1/p'; } # helm does not check it
put() { # FILE: checked, and replaced at one stroke
  [ "$(version_of "$1")" = "$version" ] || die "$1 is version \"$(version_of "$1")\" of kuberay-operator, versions.yaml says $version"
  mkdir -p "$(dirname "$target")"
  find "$(dirname "$target")" -name 'kuberay-operator-*.tgz' ! -name "$name" -delete
  cmp -s "$1" "$target" || { cp "$1" "$target.new"; mv "$target.new" "$target"; }
}
download() { # the repository's index answers at once, or it is out of reach; helm alone would wait for long
  curl -sfL -m 8 -o /dev/null "${repository}index.yaml" || return 1
  mkdir -p "$cache/charts"
  timeout 60 "$bin/helm" pull kuberay-operator --repo "$repository" --version "$version" --destination "$cache/charts" > /dev/null
}
package() { # FILE: the same bytes for the same input
  local tmp chart; tmp=$(mktemp -d); chart=$tmp/kuberay-operator
  cp -r "$here/kuberay-chart" "$chart"
  sed -i "s/@version@/$version/" "$chart/Chart.yaml" "$chart/values.yaml"
  mkdir "$chart/crds" "$chart/files"
  cp "$config"/crd/bases/*.yaml "$chart/crds/"
  cp "$config"/rbac/{role,leader_election_role}.yaml "$chart/files/"
  tar -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' -C "$tmp" kuberay-operator | gzip -9n > "$1"
  rm -rf "$tmp"
}

if [ ! -f "$published" ] && [ -d "$config" ] && key=$(cat "$here"/kuberay-chart/{*.yaml,templates/*} "$here/kuberay-chart.sh" | sha256sum | cut -c1-16) &&
  stand_in=$cache/charts/stand-in-$(basename "$(readlink -f "$cache/tools/kuberay-operator")")-$key.tgz && [ -f "$stand_in" ]; then
  put "$stand_in"
  echo "KubeRay chart $version: stand-in from the cache (remove $cache/charts to try $repository again)"
elif [ -f "$published" ] || download; then
  put "$published"
  echo "KubeRay chart $version: published, from $repository"
else
  [ -d "$config" ] || die "$repository is out of reach, and there is no $config to make a chart from: run tests/tools/build.sh kuberay-operator"
  mkdir -p "$cache/charts"; rm -f "$cache"/charts/stand-in-*
  package "$stand_in"
  put "$stand_in"
  echo "KubeRay chart $version: $repository is out of reach; packaged a stand-in from the operator module's manifests"
fi
