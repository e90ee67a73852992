# shellcheck shell=bash disable=SC2034,SC2154
# Under the published image's name, so that the KubeRay chart needs no override.
ref=quay.io/kuberay/operator:v$(sed -n 's/^kuberay: *//p' "$root/versions.yaml") binaries=(kuberay-operator)
arguments=(--add "$bin/kuberay-operator:/manager" --dir /tmp:1777 -- /manager)
