{{/*
Warnings about the gateway.
usage: include "ray-vllm-stack.notes.warnings.gateway" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.gateway" -}}
{{- if .Values.gateway.enabled }}
{{- if not .Values.auth.enabled }}
auth.enabled is false: whoever reaches the gateway may use every model.
{{- else if not (or (include "ray-vllm-stack.gateway.apiKeys" . | fromJson) .Values.auth.existingSecret .Values.auth.oidc.enabled) }}
auth.apiKeys has no key: nobody can call the gateway until one is made ({{ include "ray-vllm-stack.notes.makeKey" . }}).
{{- end }}
{{- range $id, $model := .Values.resolved.enabled }}
{{- if and $model.private (not (include "ray-vllm-stack.routes.lead" (dict "root" $ "id" $id))) }}
models.{{ $id }}.private is true, and no route leads to it: nobody can ask for it.
{{- end }}
{{- end }}
{{- $pods := include "ray-vllm-stack.gateway.fewestPods" . | int }}
{{- if lt $pods 2 }}
gateway.{{ ternary "autoscaling.minReplicas" "replicas" .Values.gateway.autoscaling.enabled }} is {{ $pods }}: when that pod's node goes, the URL goes with it for a while.
{{- end }}
{{ include "ray-vllm-stack.notes.warnings.gateway.limits" . }}
{{- if not (or .Values.resolved.enabled .Values.resolved.routes) }}
No model is enabled and no route leads elsewhere: the gateway answers every request with 404 until models or routes have an entry.
{{- end }}
{{- else }}
gateway.enabled is false: there is no common URL and no API key. Each model is at http://<RayService>-serve-svc:8000/models/<id>/v1, a standalone one at http://<its Service>:8000/v1, open to whoever a NetworkPolicy lets in.
{{- end }}
{{- end }}

{{/*
Warning about limits that each gateway pod counts for itself.
usage: include "ray-vllm-stack.notes.warnings.gateway.limits" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.gateway.limits" -}}
{{- $pods := include "ray-vllm-stack.gateway.fewestPods" . | int }}
{{- $several := or (gt $pods 1) .Values.gateway.autoscaling.enabled }}
{{- $limits := list "requestsPerMinute" "tokensPerMinute" "concurrentRequests" "monthlyTokens" "monthlyCost" }}
{{- $limited := false }}
{{- range $policies := list .Values.auth.teams .Values.auth.apiKeys }}
  {{- range include "ray-vllm-stack.merge.withoutNulls" $policies | fromJson }}
    {{- range $key, $_ := . }}
      {{- $limited = or $limited (has $key $limits) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if and .Values.auth.enabled $limited $several (not .Values.gateway.redis.enabled) }}
gateway.redis.enabled is false: each gateway pod counts the limits of teams and keys for itself, so that together they allow as many times more, and a pod that restarts forgets what a month has used.
{{- end }}
{{- end }}
