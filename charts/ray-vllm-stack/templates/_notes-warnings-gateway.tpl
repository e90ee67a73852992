{{/*
Warnings about the gateway.
usage: include "ray-vllm-stack.notes.warnings.gateway" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.gateway" -}}
{{- if .Values.gateway.enabled }}
{{- if not .Values.auth.enabled }}
auth.enabled is false: whoever reaches the gateway may use every model.
{{- else if include "ray-vllm-stack.gateway.madeKeys" . | fromJsonArray }}
API keys without a hash are made at install. Argo CD and others that render without the cluster make new ones each time: give each a hash there, or set auth.existingSecret.
{{- else if not (or (include "ray-vllm-stack.gateway.apiKeys" . | fromJson) .Values.auth.existingSecret .Values.auth.oidc.enabled) }}
auth.apiKeys has no key: nobody can call the gateway until one is made ({{ include "ray-vllm-stack.notes.makeKey" . }}).
{{- end }}
{{- range $id, $model := include "ray-vllm-stack.models.enabled" . | fromJson }}
{{- if and $model.private (not (include "ray-vllm-stack.routes.lead" (dict "root" $ "id" $id))) }}
models.{{ $id }}.private is true, and no route leads to it: nobody can ask for it.
{{- end }}
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
