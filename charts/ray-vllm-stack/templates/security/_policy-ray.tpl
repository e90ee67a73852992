{{/*
Ray pods, heads and workers. Among themselves they use any port; dashboard, GCS and agents are open to nobody else (for
the heads' dashboard see the next policy). Ray has no authentication of its own here, so this is what guards it.
usage: include "ray-vllm-stack.security.policy.ray" $
*/}}
{{- define "ray-vllm-stack.security.policy.ray" -}}
{{- $ray := include "ray-vllm-stack.security.rayPods" . -}}
podSelector:
  {{- $ray | nindent 2 }}
policyTypes: [Ingress, Egress]
ingress:
  - from:
      - podSelector:
          {{- $ray | nindent 10 }}
  - ports: [{port: 8000}]
    from:
      - podSelector:
          {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "gateway")) | nindent 10 }}
  - ports: [{port: 8080}, {port: 44217}, {port: 44227}, {port: 9101}] # Ray, its autoscaler, its dashboard, HAProxy
    from:
      {{- include "ray-vllm-stack.security.monitoring" . | nindent 6 }}
egress:
  {{- include "ray-vllm-stack.security.dns" . | nindent 2 }}
  - to:
      - podSelector:
          {{- $ray | nindent 10 }}
  - ports: [{port: 443}, {port: 6443}] # weights, and the API server for the autoscaler
  - ports: [{port: 80}] # EKS Pod Identity
    to:
      - ipBlock: {cidr: 169.254.170.23/32}
      - ipBlock: {cidr: "fd00:ec2::23/128"}
  {{- with include "ray-vllm-stack.security.storeEgress" (dict "root" . "clusters" .Values.resolved.used) }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "ray-vllm-stack.security.redisEgress" . }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.networkPolicy.egress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/*
Egress rules from Ray to the Redis servers in use, as a YAML list.
usage: include "ray-vllm-stack.security.redisEgress" $
*/}}
{{- define "ray-vllm-stack.security.redisEgress" -}}
{{- if include "ray-vllm-stack.clusters.useRedis" . -}}
- ports: [{port: 6379}]
  to:
    - podSelector:
        {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "redis")) | nindent 8 }}
{{- end }}
{{- $ports := list }}
{{- range .Values.resolved.used }}
  {{- $options := (get $.Values.resolved.clusters .).faultTolerance }}
  {{- if and $options.enabled $options.address }}
    {{- $ports = append $ports (regexFind "[0-9]+$" $options.address | default "6379") }}
  {{- end }}
{{- end }}
{{- range $ports | uniq | sortAlpha }}
- ports: [{port: {{ . }}}]
{{- end }}
{{- end }}

{{/*
Ray heads: the KubeRay operator, in whichever namespace it is, tells Ray Serve what to run through the dashboard.
usage: include "ray-vllm-stack.security.policy.ray-head" $
*/}}
{{- define "ray-vllm-stack.security.policy.ray-head" -}}
podSelector:
  {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "ray-head")) | nindent 2 }}
policyTypes: [Ingress]
ingress:
  - ports: [{port: 8265}, {port: 8000}]
    from:
      - namespaceSelector: {}
        podSelector:
          matchLabels:
            app.kubernetes.io/component: kuberay-operator
{{- end }}
