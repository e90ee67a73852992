#!/usr/bin/env bash
# Builds the project's tools from Go modules, each pinned by the go.mod and go.sum of its directory here.
# usage: build.sh [TOOL...]   (default: every tool)   build.sh --path prints the directory of the binaries
# A tool is kept under the cache keyed by its directory's content and the Go version: unchanged pins cost nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
bin=$cache/bin
all=(pause hostpath-provisioner etcd kube coredns helm4 kuberay-operator crds
  helm-unittest ct kubeconform helm-docs helm-values-schema helm3 prometheus-operator prometheus)
[ "${1:-}" = --path ] && { echo "$bin"; exit; }
[ $# -gt 0 ] || set -- "${all[@]}"

# The Go caches live below our own cache, so that they can be dropped without touching anyone else's.
export GOMODCACHE=$cache/go/mod GOCACHE=$cache/go/build GOFLAGS="-buildvcs=false -mod=readonly -modcacherw" CGO_ENABLED=0
export GOTOOLCHAIN=auto
kube_version=v1.34.4

version() { (cd "$here/$1" && go list -m -f '{{.Version}}' "$2"); }
module_dir() { (cd "$here/$1" && go mod download "$2" && go list -m -f '{{.Dir}}' "$2"); }
build() { # TOOL OUT PACKAGE [LDFLAGS] [TAGS]
  (cd "$here/$1" && go build -trimpath -tags "${5:-}" -ldflags "-s -w ${4:-}" -o "$out/bin/$2" "$3")
}
kube_stamp() {
  local p minor=${kube_version#v1.}; minor=${minor%%.*}
  for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=%s -X %s.gitTreeState=clean -X %s.gitCommit=module -X %s.buildDate=1970-01-01T00:00:00Z ' \
      $p $kube_version $p $p "$minor" $p $p $p
  done
}
make_tool() { # TOOL: fills $out
  local dir v
  case $1 in
    pause | coredns | hostpath-provisioner) build "$1" "$1" . ;;
    etcd) build etcd etcd go.etcd.io/etcd/server/v3 ;;
    kube)
      build kube kube . "$(kube_stamp)"
      for c in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do ln -sf kube "$out/bin/$c"; done ;;
    helm4) build helm4 helm helm.sh/helm/v4/cmd/helm "-X helm.sh/helm/v4/internal/version.version=$(version helm4 helm.sh/helm/v4)" ;;
    helm3)
      # Without the stamp helm 3 takes its own templates' cluster for v1.20.
      build helm3 helm3 helm.sh/helm/v3/cmd/helm "-X helm.sh/helm/v3/internal/version.version=$(version helm3 helm.sh/helm/v3) \
-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=34 \
-X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=34" ;;
    kuberay-operator)
      build "$1" kuberay-operator github.com/ray-project/kuberay/ray-operator
      dir=$(module_dir "$1" github.com/ray-project/kuberay/ray-operator); cp -r "$dir/config" "$out/config" ;;
    crds)
      mkdir -p "$out/crds"
      for m in sigs.k8s.io/karpenter github.com/aws/karpenter-provider-aws; do
        dir=$(module_dir crds $m); cp "$dir"/pkg/apis/crds/*.yaml "$out/crds/"
      done ;;
    helm-unittest) build "$1" "$1" github.com/helm-unittest/helm-unittest/cmd/helm-unittest ;;
    ct)
      build ct ct github.com/helm/chart-testing/v3/ct
      dir=$(module_dir ct github.com/helm/chart-testing/v3); cp -r "$dir/etc" "$out/etc" ;;
    kubeconform)
      build "$1" "$1" github.com/yannh/kubeconform/cmd/kubeconform
      dir=$(module_dir "$1" github.com/yannh/kubeconform); cp "$dir/scripts/openapi2jsonschema.py" "$out/" ;;
    helm-docs) build "$1" "$1" github.com/norwoodj/helm-docs/cmd/helm-docs ;;
    helm-values-schema) build "$1" "$1" github.com/losisin/helm-values-schema-json/v2 ;;
    prometheus) # one service discovery is enough, and the others link every cloud's client
      v="-X github.com/prometheus/common/version.Version=$(version prometheus github.com/prometheus/prometheus)"
      build "$1" prometheus github.com/prometheus/prometheus/cmd/prometheus "$v" remove_all_sd,enable_kubernetes_sd
      build "$1" promtool github.com/prometheus/prometheus/cmd/promtool "$v" remove_all_sd,enable_kubernetes_sd ;;
    prometheus-operator)
      build "$1" prometheus-operator github.com/prometheus-operator/prometheus-operator/cmd/operator
      build "$1" prometheus-config-reloader github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader
      dir=$(module_dir "$1" github.com/prometheus-operator/prometheus-operator)
      mkdir -p "$out/crds"; cp "$dir"/example/prometheus-operator-crd/*.yaml "$out/crds/" ;;
    *) echo "build.sh: no tool \"$1\"; the tools are: ${all[*]}" >&2; exit 2 ;;
  esac
}

mkdir -p "$bin" "$cache/tools"
exec 9> "$cache/tools/.lock"; flock 9   # two clones may share the cache
built=0
for tool in "$@"; do
  # The function above is part of the key: another flag gives another binary.
  key=$({ cd "$here" && [ -d "$tool" ] && find "$tool" -type f | LC_ALL=C sort | xargs sha256sum; go env GOVERSION; declare -f make_tool build kube_stamp; echo $kube_version; } | sha256sum | cut -c1-16)
  dir=$cache/tools/$tool-$key
  if [ ! -f "$dir/.done" ]; then
    start=$SECONDS
    if [ "$(df --output=avail -m "$cache" | tail -1)" -lt 12000 ]; then
      echo "build.sh: less than 12 GB free at $cache, which building $tool needs" >&2; exit 1
    fi
    printf '%s: building (one line when done) ...\n' "$tool" >&2
    out=$dir.new; rm -rf "$out" "$cache/tools/$tool"-[0-9a-f]*; mkdir -p "$out/bin"
    make_tool "$tool"
    touch "$out/.done"; mv "$out" "$dir"; built=1
    printf '%s: built in %d s, %d MiB\n' "$tool" $((SECONDS - start)) "$(du -sm "$dir" | cut -f1)" >&2
    # Sources and objects of one tool help the next one, until they get large.
    [ "$(du -sm "$cache/go" | cut -f1)" -lt "${GO_CACHE_MAX_MB:-11000}" ] || rm -rf "$cache/go"
  fi
  ln -sfn "$dir" "$cache/tools/$tool"
  for b in "$dir"/bin/*; do [ -e "$b" ] && ln -sfn "../tools/$tool/bin/$(basename "$b")" "$bin/$(basename "$b")"; done
done
[ $built = 0 ] || [ -n "${KEEP_GO_CACHE:-}" ] || rm -rf "$cache/go"
