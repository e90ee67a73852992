{{/*
The embedded Redis: Ray only, and nothing out.
usage: include "ray-vllm-stack.security.policy.redis" $
*/}}
{{- define "ray-vllm-stack.security.policy.redis" -}}
podSelector:
  matchLabels:
    {{- include "ray-vllm-stack.selectorLabels" (dict "root" . "component" "redis") | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  - ports: [{port: 6379}]
    from:
      - podSelector:
          {{- include "ray-vllm-stack.security.rayPods" . | nindent 10 }}
{{- end }}
