# shellcheck shell=bash disable=SC2034,SC2154
ref=localhost/ray-vllm-stack/prometheus:local binaries=(prometheus promtool)
arguments=(--add "$bin/prometheus:/bin/prometheus" --add "$bin/promtool:/bin/promtool"
  --dir /tmp:1777 --dir /prometheus:1777 --workdir /prometheus -- /bin/prometheus)
