{{/*
Warnings about models.
usage: include "ray-vllm-stack.notes.warnings.models" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.models" -}}
{{- range $id, $model := include "ray-vllm-stack.models.enabled" . | fromJson }}
{{- if eq (int $model.replicas.min) 0 }}
models.{{ $id }}.replicas.min is 0: after a quiet time its first request waits for a start; clients and gateway.timeouts.firstByteSeconds ({{ $.Values.gateway.timeouts.firstByteSeconds }}) must allow for it.
{{- end }}
{{- if and (eq (int $model.rollout.maxSurgePercent) 0) (le (int $model.replicas.min) 1) }}
models.{{ $id }}.rollout.maxSurgePercent is 0: an edit of its engine, env or source takes it away until the new replica has loaded.
{{- end }}
{{- end }}
{{- end }}

{{/*
Warnings about the gateway.
usage: include "ray-vllm-stack.notes.warnings.gateway" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.gateway" -}}
{{- if .Values.gateway.enabled }}
{{- if not .Values.auth.enabled }}
auth.enabled is false: whoever reaches the gateway may use every model.
{{- else if not .Values.auth.existingSecret }}
API keys are made at install. Argo CD and others that render without the cluster make new ones each time: set auth.existingSecret there.
{{- end }}
{{- if lt (int .Values.gateway.replicas) 2 }}
gateway.replicas is {{ int .Values.gateway.replicas }}: when that pod's node goes, the URL goes with it for a while.
{{- end }}
{{- if not (include "ray-vllm-stack.models.enabled" . | fromJson) }}
No model is enabled: the gateway answers every request with 404.
{{- end }}
{{- else }}
gateway.enabled is false: there is no common URL and no API key. Each model is at http://<RayService>-serve-svc:8000/models/<id>/v1, open to whoever a NetworkPolicy lets in.
{{- end }}
{{- end }}

{{/*
Warnings about nodes.
usage: include "ray-vllm-stack.notes.warnings.capacity" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.capacity" -}}
{{- if not .Values.capacity.enabled }}
{{- $devices := list }}
{{- range include "ray-vllm-stack.accelerators.used" . | fromJsonArray }}
  {{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" $ "name" .) | fromJson }}
  {{- if and (eq $class.kind "gpu") (not $class.nodeSelector) }}
    {{- $devices = append $devices . }}
  {{- end }}
{{- end }}
{{- with $devices }}
capacity.enabled is false and no nodeSelector is set for: {{ join ", " . }}. Their workers run on any node with free devices, whichever those are.
{{- end }}
{{- end }}
{{- end }}
