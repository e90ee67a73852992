{{/*
Pods of the standalone models that name a cluster: the gateway to vLLM's API, and monitoring to its metrics, which are on
the same port; themselves to their weights, as that cluster's Ray pods.
usage: include "ray-vllm-stack.security.policy.standalone" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.security.policy.standalone" -}}
podSelector:
  {{- include "ray-vllm-stack.security.pods" (dict "root" .root "components" (list "standalone") "clusters" (list .cluster.name)) | nindent 2 }}
policyTypes: [Ingress, Egress]
ingress:
  - ports: [{port: 8000}]
    from:
      - podSelector:
          {{- include "ray-vllm-stack.security.pods" (dict "root" .root "components" (list "gateway")) | nindent 10 }}
      {{- with .root.Values.networkPolicy.monitoring }}{{/* if it is empty, everyone may scrape, but not use the API */}}
      {{- toYaml . | nindent 6 }}
      {{- end }}
egress:
  {{- include "ray-vllm-stack.security.dns" .root | nindent 2 }}
  - ports: [{port: 443}] # weights
  - ports: [{port: 80}] # EKS Pod Identity
    to:
      - ipBlock: {cidr: 169.254.170.23/32}
      - ipBlock: {cidr: "fd00:ec2::23/128"}
  {{- $models := set (omit .cluster "models") "models" .cluster.standalone }}
  {{- with include "ray-vllm-stack.security.storeEgress" (dict "root" .root "cluster" $models) }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .cluster.networkPolicy.egress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
