{{/*
Spec of the gateway's Service, before the raw `gateway.service.spec`. Metrics are on another Service: this one may be open
to the internet, and they name teams, keys and cost.
usage: include "ray-vllm-stack.gateway.service" $
*/}}
{{- define "ray-vllm-stack.gateway.service" -}}
{{- with .Values.gateway.service -}}
type: {{ .type }}
{{- with .ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .ipFamilies }}
ipFamilies: {{ toJson . }}
{{- end }}
selector:
  {{- include "ray-vllm-stack.selectorLabels" (dict "root" $ "component" "gateway") | nindent 2 }}
ports:
  - name: http
    port: {{ int .port }}
    targetPort: http
    {{- with .nodePort }}
    nodePort: {{ int . }}
    {{- end }}
{{- end }}
{{- end }}
