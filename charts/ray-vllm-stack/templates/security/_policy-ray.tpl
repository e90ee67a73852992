{{/*
Ray pods of one cluster, heads and workers. Among themselves they use any port; dashboard, GCS and agents are open to
nobody else, the release's other clusters included (for the heads' dashboard see the next policy). Ray has no
authentication of its own here, so this is what guards it.
usage: include "ray-vllm-stack.security.policy.ray" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.security.policy.ray" -}}
{{- $ray := include "ray-vllm-stack.security.rayPods" (dict "root" .root "clusters" (list .cluster.name)) -}}
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
          {{- include "ray-vllm-stack.security.pods" (dict "root" .root "components" (list "gateway")) | nindent 10 }}
      {{- with and (eq .cluster.upgradeStrategy.type "incremental") .cluster.upgradeStrategy.incremental.peers }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  - ports: [{port: 8080}, {port: 44217}, {port: 44227}, {port: 9101}] # Ray, its autoscaler, its dashboard, HAProxy
    from:
      {{- include "ray-vllm-stack.security.monitoring" .root | nindent 6 }}
egress:
  {{- include "ray-vllm-stack.security.dns" .root | nindent 2 }}
  - to:
      - podSelector:
          {{- $ray | nindent 10 }}
  - ports: [{port: 443}, {port: 6443}] # weights, and the API server for the autoscaler
  - ports: [{port: 80}] # EKS Pod Identity
    to:
      - ipBlock: {cidr: 169.254.170.23/32}
      - ipBlock: {cidr: "fd00:ec2::23/128"}
  {{- range $rule := list "documentsEgress" "storeEgress" "redisEgress" }}
  {{- with include (printf "ray-vllm-stack.security.%s" $rule) $ | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with .cluster.networkPolicy.egress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/*
Egress rule from a cluster to the Redis that keeps its state, as a YAML list, or nothing.
usage: include "ray-vllm-stack.security.redisEgress" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.security.redisEgress" -}}
{{- $options := .cluster.faultTolerance }}
{{- if and $options.enabled $options.address -}}
- ports: [{port: {{ regexFind "[0-9]+$" $options.address }}}]
{{- else if $options.enabled -}}
- ports: [{port: 6379}]
  to:
    - podSelector:
        {{- include "ray-vllm-stack.security.pods" (dict "root" .root "components" (list "redis")) | nindent 8 }}
{{- end }}
{{- end }}

{{/*
Ray heads of all clusters: the KubeRay operator tells Ray Serve what to run through the dashboard. Whoever may do that runs
code in the cluster, so the release's own operator is known by its namespace, which others cannot label themselves into.
usage: include "ray-vllm-stack.security.policy.operator" $
*/}}
{{- define "ray-vllm-stack.security.policy.operator" -}}
podSelector:
  {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "ray-head")) | nindent 2 }}
policyTypes: [Ingress]
ingress:
  - ports: [{port: 8265}, {port: 8000}]
    from:
      {{- with .Values.networkPolicy.operator }}
      {{- toYaml . | nindent 6 }}
      {{- else }}
      - podSelector:
          matchLabels:
            app.kubernetes.io/component: kuberay-operator
        {{- if not (index .Values "kuberay-operator" "enabled") }}
        namespaceSelector: {}
        {{- end }}
      {{- end }}
{{- end }}

{{/*
Egress rules from a cluster's pipelines to what they ask, the gateway, the documents and agents' tools, and to where their spans
go, as a YAML list, or nothing.
usage: include "ray-vllm-stack.security.documentsEgress" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.security.documentsEgress" -}}
{{- if .cluster.documents -}}
- ports: [{port: 8080}]
  to:
    - podSelector:
        {{- include "ray-vllm-stack.security.pods" (dict "root" .root "components" (list "data" "gateway")) | nindent 8 }}
{{- with .root.Values.gateway.tracing.endpoint }}
- ports: [{port: {{ include "ray-vllm-stack.url.port" . }}}]
{{- end }}
{{- with include "ray-vllm-stack.security.toolsEgress" .cluster | trim }}
{{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Egress rules from a cluster's agents to their tools, as a YAML list, or nothing: ports beside HTTPS, wherever they are.
usage: include "ray-vllm-stack.security.toolsEgress" <cluster>
*/}}
{{- define "ray-vllm-stack.security.toolsEgress" -}}
{{- $ports := list }}
{{- range include "ray-vllm-stack.pipelines.toolUrls" . | fromJsonArray }}
  {{- $ports = append $ports (include "ray-vllm-stack.url.port" . | int) }}
{{- end }}
{{- range $ports | uniq | sortAlpha }}
{{- if not (has (int .) (list 443 6443)) }}
- ports: [{port: {{ int . }}}]
{{- end }}
{{- end }}
{{- end }}

{{/*
Names of the clusters whose pods may reach documents, as a sorted JSON array.
usage: include "ray-vllm-stack.security.documentsClusters" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.security.documentsClusters" -}}
{{- $names := list }}
{{- range $name, $cluster := .Values.resolved.clusters }}
  {{- if $cluster.documents }}{{ $names = append $names $name }}{{ end }}
{{- end }}
{{- $names | sortAlpha | toJson }}
{{- end }}
