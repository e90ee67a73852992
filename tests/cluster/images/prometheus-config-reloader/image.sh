# shellcheck shell=bash disable=SC2034,SC2154
ref=localhost/ray-vllm-stack/prometheus-config-reloader:local binaries=(prometheus-config-reloader)
arguments=(--add "$bin/prometheus-config-reloader:/bin/prometheus-config-reloader" --dir /tmp:1777
  -- /bin/prometheus-config-reloader)
