{{/*
Metadata of the objects that run before `helm uninstall` deletes the release. Hooks of lower weight come first.
usage: include "ray-vllm-stack.uninstall.metadata" (dict "root" $ "weight" 0)
*/}}
{{- define "ray-vllm-stack.uninstall.metadata" -}}
name: {{ include "ray-vllm-stack.component.name" (dict "root" .root "component" "uninstall") }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "ray-vllm-stack.labels" (dict "root" .root "component" "uninstall") | nindent 2 }}
annotations:
  helm.sh/hook: pre-delete
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/*
Whether there is anything to wait for at uninstall: "true" or nothing.
usage: if include "ray-vllm-stack.uninstall.enabled" $
*/}}
{{- define "ray-vllm-stack.uninstall.enabled" -}}
{{- if and .Values.uninstall.enabled (include "ray-vllm-stack.clusters.used" . | fromJsonArray) }}true{{ end }}
{{- end }}
