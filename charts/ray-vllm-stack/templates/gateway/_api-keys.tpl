{{/*
Name of the Secret with the API keys.
usage: include "ray-vllm-stack.gateway.keysSecret" $
*/}}
{{- define "ray-vllm-stack.gateway.keysSecret" -}}
{{- $made := include "ray-vllm-stack.component.name" (dict "root" . "component" "api-keys") }}
{{- .Values.auth.existingSecret | default $made }}
{{- end }}

{{/*
Name of one API key, for the smoke test and the notes: the first of the live Secret, else the first of the values.
usage: include "ray-vllm-stack.gateway.keyName" $
*/}}
{{- define "ray-vllm-stack.gateway.keyName" -}}
{{- $names := .Values.auth.apiKeys | default dict | keys }}
{{- if .Values.auth.existingSecret }}
  {{- $names = (lookup "v1" "Secret" .Release.Namespace .Values.auth.existingSecret).data | default dict | keys }}
{{- end }}
{{- $names | sortAlpha | first | default "default" }}
{{- end }}
