{{/*
The gateway: clients to its API, monitoring to its metrics; itself to Ray Serve and vLLM, and to what its values name.
usage: include "ray-vllm-stack.security.policy.gateway" $
*/}}
{{- define "ray-vllm-stack.security.policy.gateway" -}}
podSelector:
  matchLabels:
    {{- include "ray-vllm-stack.selectorLabels" (dict "root" . "component" "gateway") | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  - ports: [{port: 8080}]
    {{- with include "ray-vllm-stack.security.gatewayClients" . }}
    from:
      {{- . | nindent 6 }}
    {{- end }}
  - ports: [{port: 9090}]
    from:
      {{- include "ray-vllm-stack.security.monitoring" . | nindent 6 }}
egress:
  {{- include "ray-vllm-stack.security.dns" . | nindent 2 }}
  - ports: [{port: 8000}]
    to:
      - podSelector:
          {{- $models := concat (list "ray-head" "ray-worker") (ternary (list "standalone") list (gt (len .Values.resolved.standalone) 0)) }}
          {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" $models) | nindent 10 }}
  {{- if include "ray-vllm-stack.gateway.useRedis" . }}
  - ports: [{port: 6379}]
    to:
      - podSelector:
          {{- include "ray-vllm-stack.security.pods" (dict "root" . "components" (list "redis")) | nindent 10 }}
  {{- end }}
  {{- with include "ray-vllm-stack.security.toData" . }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- range include "ray-vllm-stack.security.gatewayPorts" . | fromJsonArray }}
  - ports: [{port: {{ int . }}}]
  {{- end }}
  {{- with include "ray-vllm-stack.security.toKubeRayGateways" . }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.networkPolicy.gatewayEgress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/*
Egress rules to the Gateways through which KubeRay replaces clusters in steps, as a YAML list, or nothing.
usage: include "ray-vllm-stack.security.toKubeRayGateways" $
*/}}
{{- define "ray-vllm-stack.security.toKubeRayGateways" -}}
{{- range .Values.resolved.used }}
{{- with (get $.Values.resolved.clusters .).upgradeStrategy }}
{{- if and (eq .type "incremental") .incremental.peers }}
- to:
    {{- toYaml .incremental.peers | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Who may ask the gateway, or nothing where everybody may: clients by values, pipelines, `helm test`, and what embeds documents.
usage: with include "ray-vllm-stack.security.gatewayClients" $
*/}}
{{- define "ray-vllm-stack.security.gatewayClients" -}}
{{- with .Values.networkPolicy.clients }}
{{- toYaml . }}
{{- with include "ray-vllm-stack.security.documentsClusters" $ | fromJsonArray }}
- podSelector:
    {{- include "ray-vllm-stack.security.rayPods" (dict "root" $ "clusters" .) | nindent 4 }}
{{- end }}
- podSelector:
    {{- $own := ternary (list "smoke" "data") (list "smoke") $.Values.data.enabled }}
    {{- include "ray-vllm-stack.security.pods" (dict "root" $ "components" $own) | nindent 4 }}
{{- end }}
{{- end }}

{{/*
Ports of the services elsewhere that the gateway talks to, wherever they are, as a JSON array: a policy knows no names.
usage: include "ray-vllm-stack.security.gatewayPorts" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.security.gatewayPorts" -}}
{{- $urls := list .Values.gateway.tracing.endpoint .Values.gateway.proxy.url }}
{{- if .Values.gateway.redis.enabled }}
  {{- $urls = append $urls .Values.gateway.redis.url }}
{{- end }}
{{- if and .Values.auth.enabled .Values.auth.oidc.enabled }}
  {{- $urls = concat $urls (list .Values.auth.oidc.issuer .Values.auth.oidc.jwksUrl) }}
{{- end }}
{{- range .Values.resolved.providers }}
  {{- $urls = append $urls .baseUrl }}
{{- end }}
{{- $ports := include "ray-vllm-stack.security.envPorts" (list .Values.podDefaults.env .Values.gateway.pod.env) | fromJsonArray }}
{{- range compact $urls }}
  {{- $ports = append $ports (include "ray-vllm-stack.url.port" . | int) }}
{{- end }}
{{- $ports | uniq | sortAlpha | toJson }}
{{- end }}
