{{/*
The embedded Redis: those whose data are in it, and nothing out.
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
      {{- with include "ray-vllm-stack.clusters.inRedis" . | fromJsonArray }}
      - podSelector:
          {{- include "ray-vllm-stack.security.rayPods" (dict "root" $ "clusters" .) | nindent 10 }}
      {{- end }}
      {{- if include "ray-vllm-stack.gateway.useRedis" . }}
      - podSelector:
          {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "gateway")) | nindent 10 }}
      {{- end }}
{{- end }}
