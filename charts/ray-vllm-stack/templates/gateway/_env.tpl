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
{{- if include "ray-vllm-stack.caBundle" .Values.gateway.caBundle }}
- name: SSL_CERT_FILE
  value: /etc/ca-bundle/ca.crt
- name: REQUESTS_CA_BUNDLE
  value: /etc/ca-bundle/ca.crt
{{- end }}
{{- end }}
