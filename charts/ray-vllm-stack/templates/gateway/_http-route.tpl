{{/*
Spec of the gateway's HTTPRoute, before the raw `gateway.httpRoute.spec`.
usage: include "ray-vllm-stack.gateway.httpRoute" $
*/}}
{{- define "ray-vllm-stack.gateway.httpRoute" -}}
{{- $options := .Values.gateway.httpRoute -}}
parentRefs:
  {{- toYaml $options.parentRefs | nindent 2 }}
{{- with $options.hostnames }}
hostnames:
  {{- toYaml . | nindent 2 }}
{{- end }}
rules:
  - matches:
      - path: {type: PathPrefix, value: /}
    {{- if and $options.timeout (not $options.gke.enabled) }}
    timeouts:
      request: {{ $options.timeout }}
    {{- end }}
    backendRefs:
      - name: {{ include "ray-vllm-stack.gateway.name" . }}
        port: {{ int .Values.gateway.service.port }}
{{- end }}
