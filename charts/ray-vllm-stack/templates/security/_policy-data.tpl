{{/*
The data component: the gateway and the Ray pods of clusters with `documents` to its API, monitoring to its metrics; itself to the gateway, and to where it
keeps things.
usage: include "ray-vllm-stack.security.policy.data" $
*/}}
{{- define "ray-vllm-stack.security.policy.data" -}}
podSelector:
  matchLabels:
    {{- include "ray-vllm-stack.selectorLabels" (dict "root" . "component" "data") | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  - ports: [{port: 8080}]
    from:
      - podSelector:
          {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "gateway")) | nindent 10 }}
      {{- with include "ray-vllm-stack.security.documentsClusters" . | fromJsonArray }}
      - podSelector: # pipelines
          {{- include "ray-vllm-stack.security.rayPods" (dict "root" $ "clusters" .) | nindent 10 }}
      {{- end }}
  - ports: [{port: 9090}]
    from:
      {{- include "ray-vllm-stack.security.monitoring" . | nindent 6 }}
egress:
  {{- include "ray-vllm-stack.security.dns" . | nindent 2 }}
  - ports: [{port: 8080}]
    to:
      - podSelector:
          {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "gateway")) | nindent 10 }}
  {{- range include "ray-vllm-stack.security.dataPorts" . | fromJsonArray }}
  - ports: [{port: {{ int . }}}]
  {{- end }}
  {{- if .Values.data.files.url }}
  - ports: [{port: 80}] # EKS Pod Identity
    to:
      - ipBlock: {cidr: 169.254.170.23/32}
      - ipBlock: {cidr: "fd00:ec2::23/128"}
  {{- end }}
{{- end }}

{{/*
Egress rule from pods to the data component, as a YAML list, or nothing.
usage: include "ray-vllm-stack.security.toData" $
*/}}
{{- define "ray-vllm-stack.security.toData" -}}
{{- if .Values.data.enabled -}}
- ports: [{port: 8080}]
  to:
    - podSelector:
        {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "data")) | nindent 8 }}
{{- end }}
{{- end }}

{{/*
Ports of what the data component keeps things in, wherever that is, as a sorted JSON array.
usage: include "ray-vllm-stack.security.dataPorts" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.security.dataPorts" -}}
{{- $data := .Values.data }}
{{- $ports := include "ray-vllm-stack.security.envPorts" (list .Values.podDefaults.env $data.pod.env) | fromJsonArray }}
{{- if $data.database.existingSecret }}{{ $ports = append $ports (int $data.database.port) }}{{ end }}
{{- if $data.files.url }}{{ $ports = append $ports 443 }}{{ end }}
{{- with $data.vectors }}
{{- if .url }}{{ $ports = append $ports (include "ray-vllm-stack.url.port" .url | int) }}{{ end }}
{{- if and (eq .kind "pgvector") .existingSecret }}{{ $ports = append $ports (int .port) }}{{ end }}
{{- end }}
{{- $ports | uniq | sortAlpha | toJson }}
{{- end }}
