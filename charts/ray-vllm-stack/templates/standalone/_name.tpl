{{/*
Name of a standalone model's objects. Services take no dots: an id that has some ends with a hash, so that no two share it.
usage: include "ray-vllm-stack.standalone.name" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.name" -}}
{{- $id := .model.id }}
{{- if contains "." $id }}
  {{- $id = printf "%s-%s" (replace "." "-" $id) (sha256sum $id | trunc 8) }}
{{- end }}
{{- include "ray-vllm-stack.component.name" (dict "root" .root "component" (printf "model-%s" $id)) }}
{{- end }}

{{/*
Root of a standalone model's API.
usage: include "ray-vllm-stack.standalone.url" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.url" -}}
{{- printf "http://%s.%s.svc:8000" (include "ray-vllm-stack.standalone.name" .) .root.Release.Namespace }}
{{- end }}

{{/*
Metadata of a standalone model's object.
usage: include "ray-vllm-stack.standalone.metadata" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.metadata" -}}
name: {{ include "ray-vllm-stack.standalone.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "ray-vllm-stack.labels" (dict "root" .root "component" "standalone") | nindent 2 }}
  ray-vllm-stack.io/cluster: {{ .model.cluster }}
  ray-vllm-stack.io/model: {{ .model.id | quote }}
{{- end }}

{{/*
Labels that select a standalone model's pods; they never change.
usage: include "ray-vllm-stack.standalone.selectorLabels" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.selectorLabels" -}}
{{- include "ray-vllm-stack.selectorLabels" (dict "root" .root "component" "standalone") }}
ray-vllm-stack.io/model: {{ .model.id | quote }}
{{- end }}
