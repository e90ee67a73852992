{{/*
Annotations of the pods of hooks, which have to end: a mesh's sidecar would keep them running, and there may be none yet.
usage: include "ray-vllm-stack.hook.annotations" $
*/}}
{{- define "ray-vllm-stack.hook.annotations" -}}
sidecar.istio.io/inject: "false"
linkerd.io/inject: disabled
{{- end }}
