# shellcheck shell=bash disable=SC2034,SC2154
ref=localhost/ray-vllm-stack/prometheus-operator:local binaries=(prometheus-operator)
arguments=(--add "$bin/prometheus-operator:/bin/operator" --dir /tmp:1777 -- /bin/operator)
