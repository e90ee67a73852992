{{/*
Bytes of memory that a gateway pod may need: what it takes without bodies, under the attacks of docs/benchmarks.md, and
1.25 times the bodies that it may hold. Both figures are measured there and stand here alone.
usage: include "ray-vllm-stack.gateway.memory" .Values.gateway.limits.maxBufferedBytes | float64
*/}}
{{- define "ray-vllm-stack.gateway.memory" -}}
{{- $base := mul 192 1024 1024 }}
{{- addf $base (mulf . 1.25) | printf "%.0f" }}
{{- end }}
