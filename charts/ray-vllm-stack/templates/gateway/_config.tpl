{{/*
The gateway's configuration file: only models and pipelines that are enabled, the providers, and the routes to both.
usage: include "ray-vllm-stack.gateway.config" $
*/}}
{{- define "ray-vllm-stack.gateway.config" -}}
{{- $models := dict }}
{{- range $id, $model := .Values.resolved.enabled }}
  {{- $_ := include "ray-vllm-stack.gateway.config.model" (dict "root" $ "model" $model) | fromJson | set $models $id }}
{{- end }}
{{- range $id, $pipeline := .Values.resolved.pipelines }}
  {{- if $pipeline.enabled }}
    {{- $_ := include "ray-vllm-stack.gateway.config.pipeline" (dict "root" $ "pipeline" $pipeline) | fromJson | set $models $id }}
  {{- end }}
{{- end }}
{{- range $id, $provider := .Values.resolved.providers }}
  {{- $entry := dict "root" $ "id" $id "provider" $provider }}
  {{- $_ := include "ray-vllm-stack.gateway.config.provider" $entry | fromJson | set $models $id }}
{{- end }}
{{- $origins := include "ray-vllm-stack.merge.withoutNulls" .Values.gateway.cors.origins | fromJson | values | sortAlpha | uniq }}
{{- $config := dict
  "models" $models
  "routes" (merge dict .Values.resolved.routes .Values.resolved.servedNames)
  "teams" (include "ray-vllm-stack.merge.withoutNulls" .Values.auth.teams | fromJson)
  "limits" .Values.gateway.limits
  "cors" (dict "origins" $origins "maxAgeSeconds" .Values.gateway.cors.maxAgeSeconds)
  "timeouts" .Values.gateway.timeouts
  "retry" .Values.gateway.retry
  "breaker" .Values.gateway.breaker
  "queue" .Values.gateway.queue
  "keepAlive" .Values.gateway.keepAlive
  "shadows" .Values.gateway.shadows
  "metering" .Values.gateway.metering }}
{{- if and .Values.auth.enabled .Values.auth.oidc.enabled }}
  {{- $_ := set $config "oidc" (omit .Values.auth.oidc "enabled") }}
{{- end }}
{{- if .Values.data.enabled }}
  {{- $data := dict "url" (include "ray-vllm-stack.data.url" .) "maxFileBytes" (int64 .Values.data.files.maxBytes) "batchPriceFactor" .Values.data.batches.priceFactor }}
  {{- $_ := set $config "data" $data }}
{{- end }}
{{- if .Values.gateway.redis.enabled }}
  {{- $_ := include "ray-vllm-stack.gateway.redis" . | fromJson | set $config "redis" }}
{{- end }}
{{- toYaml $config }}
{{- end }}
