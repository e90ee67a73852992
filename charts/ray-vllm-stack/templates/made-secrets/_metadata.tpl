{{/*
Metadata of the objects that run before an install and, after the guard of `safe-change`, before an upgrade. Hooks of lower
weight come first; Argo CD takes them for PreSync.
usage: include "ray-vllm-stack.madeSecrets.metadata" (dict "root" $ "weight" 3)
*/}}
{{- define "ray-vllm-stack.madeSecrets.metadata" -}}
name: {{ include "ray-vllm-stack.component.name" (dict "root" .root "component" "made-secrets") }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "ray-vllm-stack.labels" (dict "root" .root "component" "made-secrets") | nindent 2 }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
  helm.sh/hook-output-log-policy: hook-failed # helm prints it before it deletes the pod
{{- end }}
