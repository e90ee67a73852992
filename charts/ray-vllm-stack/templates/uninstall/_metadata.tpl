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
Whether there is anything to do before uninstall: "true" or nothing.
usage: if include "ray-vllm-stack.uninstall.enabled" $
*/}}
{{- define "ray-vllm-stack.uninstall.enabled" -}}
{{- $clusters := or .Values.resolved.used (include "ray-vllm-stack.uninstall.jobs" . | fromJson) }}
{{- if and .Values.uninstall.enabled (or $clusters (include "ray-vllm-stack.uninstall.secrets" . | fromJsonArray)) }}true{{ end }}
{{- end }}

{{/*
Names of the Secrets that Helm does not know, as a sorted JSON array: those made by the Job, and the one that the command
line has put API keys into, where the gateway asks for keys.
usage: include "ray-vllm-stack.uninstall.secrets" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.uninstall.secrets" -}}
{{- $names := include "ray-vllm-stack.madeSecrets.names" . | fromJson | values }}
{{- if and .Values.gateway.enabled .Values.auth.enabled }}
  {{- $names = include "ray-vllm-stack.component.name" (dict "root" . "component" "issued-keys") | append $names }}
{{- end }}
{{- sortAlpha $names | toJson }}
{{- end }}

{{/*
Names of the jobs' objects by kind in lower case, as JSON.
usage: include "ray-vllm-stack.uninstall.jobs" $ | fromJson
*/}}
{{- define "ray-vllm-stack.uninstall.jobs" -}}
{{- $kinds := dict }}
{{- range $job := .Values.resolved.jobs }}
  {{- if $job.enabled }}
    {{- $kind := ternary "raycronjob" "rayjob" (ne $job.schedule "") }}
    {{- $name := include "ray-vllm-stack.jobs.name" (dict "root" $ "job" $job) }}
    {{- $_ := append (get $kinds $kind | default list) $name | set $kinds $kind }}
  {{- end }}
{{- end }}
{{- toJson $kinds }}
{{- end }}
