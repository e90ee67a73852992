{{/*
The embedded Redis: those whose data are in it, and nothing out.
usage: include "ray-vllm-stack.security.policy.redis" $
*/}}
{{- define "ray-vllm-stack.security.policy.redis" -}}
{{- $users := ternary (list "ray-head" "ray-worker") list (ne "" (include "ray-vllm-stack.clusters.useRedis" .)) }}
{{- if include "ray-vllm-stack.gateway.useRedis" . }}
  {{- $users = append $users "gateway" }}
{{- end -}}
podSelector:
  matchLabels:
    {{- include "ray-vllm-stack.selectorLabels" (dict "root" . "component" "redis") | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  - ports: [{port: 6379}]
    from:
      - podSelector:
          {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" $users) | nindent 10 }}
{{- end }}
