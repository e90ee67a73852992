{{/*
Why the only model of a release would do without Ray, or nothing: it has fixed replicas of one pod each, weights that vLLM
itself loads, and nothing that only Ray gives.
usage: include "ray-vllm-stack.notes.runtimes" $
*/}}
{{- define "ray-vllm-stack.notes.runtimes" -}}
{{- if eq (len .Values.resolved.models) 1 }}
{{- range $id, $model := .Values.resolved.enabled }}
{{- if and (eq $model.runtime "ray") (eq (int $model.replicas.min) (int $model.replicas.max)) }}
{{- $moved := set (omit $model "runtime") "runtime" "standalone" }}
{{- if not (include "ray-vllm-stack.validate.model.standalone" (dict "root" $ "id" $id "model" $moved) | trim) }}
{{- $head := (get $.Values.resolved.clusters $model.cluster).head.resources }}
models.{{ $id }} is one model with fixed replicas and no pipeline: with `runtime: standalone` vLLM's own server would do, without
Ray's head ({{ dig "limits" "memory" "" $head | default (dig "requests" "memory" "its memory" $head) }}). What that gains and loses: docs/runtimes.md.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
