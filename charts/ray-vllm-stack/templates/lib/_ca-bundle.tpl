{{/*
Source of the volume with the CA certificates that the values name, or nothing. It is mounted at /etc/ca-bundle, where
SSL_CERT_FILE (OpenSSL's, and Python's httpx and aiohttp with it) and REQUESTS_CA_BUNDLE lead.
usage: include "ray-vllm-stack.caBundle" .Values.gateway.caBundle
*/}}
{{- define "ray-vllm-stack.caBundle" -}}
{{- if .existingConfigMap -}}
configMap:
  name: {{ .existingConfigMap }}
  items: [{key: {{ .key | quote }}, path: ca.crt}]
{{- else if .existingSecret -}}
secret:
  secretName: {{ .existingSecret }}
  items: [{key: {{ .key | quote }}, path: ca.crt}]
{{- end }}
{{- end }}
