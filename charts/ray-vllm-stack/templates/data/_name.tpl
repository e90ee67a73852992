{{/*
Name of the data component's objects.
usage: include "ray-vllm-stack.data.name" $
*/}}
{{- define "ray-vllm-stack.data.name" -}}
{{- include "ray-vllm-stack.component.name" (dict "root" . "component" "data") }}
{{- end }}

{{/*
URL of the data component, without /v1. It never changes, so that it may stand in a Ray pod.
usage: include "ray-vllm-stack.data.url" $
*/}}
{{- define "ray-vllm-stack.data.url" -}}
{{- printf "http://%s.%s.svc:8080" (include "ray-vllm-stack.data.name" .) .Release.Namespace }}
{{- end }}

{{/*
Name of the Secret with the tokens between the data component and those around it: `component-token`, with which it and the
gateway ask each other on behalf of callers, and those of pipelines: `token`, with which they search the declared stores, and
`gateway-token`, with which they ask the gateway's models for themselves.
usage: include "ray-vllm-stack.data.secret" $
*/}}
{{- define "ray-vllm-stack.data.secret" -}}
{{- .Values.data.existingSecret | default (include "ray-vllm-stack.data.name" .) }}
{{- end }}

{{/*
Name of the claim that the data component keeps things on.
usage: include "ray-vllm-stack.data.claim" $
*/}}
{{- define "ray-vllm-stack.data.claim" -}}
{{- .Values.data.persistence.existingClaim | default (include "ray-vllm-stack.data.name" .) }}
{{- end }}
