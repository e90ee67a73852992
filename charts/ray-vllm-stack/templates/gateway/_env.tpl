{{/*
Environment of the gateway's container: OpenTelemetry's own variables, the proxy's and the CA bundle's, or nothing.
usage: include "ray-vllm-stack.gateway.env" $
*/}}
{{- define "ray-vllm-stack.gateway.env" -}}
{{- with .Values.gateway.tracing }}
{{- if .endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_SERVICE_NAME
  value: {{ include "ray-vllm-stack.gateway.name" $ }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ divf .samplePercent 100 | quote }}
{{- end }}
{{- end }}
{{- with .Values.gateway.proxy }}
{{- if .url }}
- name: HTTP_PROXY
  value: {{ .url | quote }}
- name: HTTPS_PROXY
  value: {{ .url | quote }}
- name: NO_PROXY
  value: {{ concat (list "localhost" "127.0.0.1" ".svc" ".cluster.local") .noProxy | uniq | join "," | quote }}
{{- end }}
{{- end }}
{{- if include "ray-vllm-stack.gateway.caBundle" . }}
- name: SSL_CERT_FILE
  value: /etc/gateway-ca/ca.crt
- name: REQUESTS_CA_BUNDLE
  value: /etc/gateway-ca/ca.crt
{{- end }}
{{- end }}

{{/*
The volume with the CA certificates that the values name, or nothing.
usage: include "ray-vllm-stack.gateway.caBundle" $
*/}}
{{- define "ray-vllm-stack.gateway.caBundle" -}}
{{- with .Values.gateway.caBundle }}
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
{{- end }}
