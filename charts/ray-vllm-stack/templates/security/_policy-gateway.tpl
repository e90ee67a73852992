{{/*
The gateway: clients to its API, monitoring to its metrics; itself to Ray Serve only.
usage: include "ray-vllm-stack.security.policy.gateway" $
*/}}
{{- define "ray-vllm-stack.security.policy.gateway" -}}
podSelector:
  matchLabels:
    {{- include "ray-vllm-stack.selectorLabels" (dict "root" . "component" "gateway") | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  - ports: [{port: 8080}]
    {{- with .Values.networkPolicy.clients }}
    from:
      {{- toYaml . | nindent 6 }}
      - podSelector: # helm test
          {{- include "ray-vllm-stack.security.pods" (dict "root" $ "components" (list "smoke")) | nindent 10 }}
    {{- end }}
  - ports: [{port: 9090}]
    from:
      {{- include "ray-vllm-stack.security.monitoring" . | nindent 6 }}
egress:
  {{- include "ray-vllm-stack.security.dns" . | nindent 2 }}
  - ports: [{port: 8000}]
    to:
      - podSelector:
          {{- include "ray-vllm-stack.security.rayPods" . | nindent 10 }}
{{- end }}
