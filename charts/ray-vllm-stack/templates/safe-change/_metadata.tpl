{{/*
Metadata of the objects that run before an upgrade. Hooks of lower weight come first; Argo CD takes them for PreSync.
usage: include "ray-vllm-stack.safeChange.metadata" (dict "root" $ "weight" 0)
*/}}
{{- define "ray-vllm-stack.safeChange.metadata" -}}
name: {{ include "ray-vllm-stack.component.name" (dict "root" .root "component" (.component | default "safe-change")) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "ray-vllm-stack.labels" (dict "root" .root "component" "safe-change") | nindent 2 }}
annotations:
  helm.sh/hook: pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
  helm.sh/hook-output-log-policy: hook-failed # helm prints it before it deletes the pod
{{- end }}

{{/*
Whether upgrades are guarded: "true" or nothing.
usage: if include "ray-vllm-stack.safeChange.enabled" $
*/}}
{{- define "ray-vllm-stack.safeChange.enabled" -}}
{{- if and .Values.safeChange.enabled .Values.resolved.used }}true{{ end }}
{{- end }}

{{/*
Name of the ConfigMap with the new RayService of a cluster.
usage: include "ray-vllm-stack.safeChange.configMap" (dict "root" $ "cluster" "main")
*/}}
{{- define "ray-vllm-stack.safeChange.configMap" -}}
{{- include "ray-vllm-stack.component.name" (dict "root" .root "component" (printf "safe-change-%s" .cluster)) }}
{{- end }}
