{{/*
A model's entry in the gateway's configuration, as JSON.
usage: include "ray-vllm-stack.gateway.config.model" (dict "root" $ "model" <model>) | fromJson
*/}}
{{- define "ray-vllm-stack.gateway.config.model" -}}
{{- $model := .model }}
{{- $url := printf "%s/models/%s" (get .root.Values.resolved.clusters $model.cluster).url $model.id }}
{{- if eq $model.runtime "standalone" }}
  {{- $url = include "ray-vllm-stack.standalone.url" . }}
{{- end }}
{{- $ingress := last $model.parts }}
{{- $total := mul (int $ingress.replicas.max) (int $ingress.replicas.maxOngoingRequests) (int $ingress.ranks) }}
{{- if hasKey $model "maxConcurrentRequests" }}
  {{- $total = int $model.maxConcurrentRequests }}
{{- end }}
{{- $entry := dict
  "url" $url
  "task" $model.task
  "ownedBy" $model.ownedBy
  "maxConcurrentRequests" (include "ray-vllm-stack.gateway.share" (dict "root" .root "total" $total) | int) }}
{{- if $model.private }}
  {{- $_ := set $entry "private" true }}
{{- end }}
{{- if eq (int $ingress.replicas.min) 0 }}
  {{- $_ := set $entry "scalesToZero" true }}
{{- end }}
{{- if gt (int $model.engine.max_model_len) 0 }}
  {{- $_ := set $entry "contextLength" (int $model.engine.max_model_len) }}
{{- end }}
{{- with keys $model.adapters | sortAlpha }}
  {{- $_ := set $entry "adapters" . }}
{{- end }}
{{- with $model.price }}
  {{- $_ := set $entry "price" . }}
{{- end }}
{{- toJson $entry }}
{{- end }}

{{/*
A provider's entry, as JSON: a model that only routes lead to.
usage: include "ray-vllm-stack.gateway.config.provider" (dict "root" $ "id" "elsewhere" "provider" <provider>) | fromJson
*/}}
{{- define "ray-vllm-stack.gateway.config.provider" -}}
{{- $provider := .provider }}
{{- $task := $provider.task | default "generate" }}
{{- $first := dict "generate" "chat_completions" "embed" "embeddings" "score" "rerank" "transcribe" "transcriptions" }}
{{- $total := int $provider.maxConcurrentRequests }}
{{- $entry := dict
  "baseUrl" $provider.baseUrl
  "external" true
  "apis" ($provider.apis | default (list (get $first $task)))
  "task" $task
  "ownedBy" .id
  "private" true
  "maxConcurrentRequests" (include "ray-vllm-stack.gateway.share" (dict "root" .root "total" $total) | int) }}
{{- range $key := list "query" "headers" "fields" }}
  {{- with get $provider $key }}
    {{- $_ := set $entry $key . }}
  {{- end }}
{{- end }}
{{- with $provider.model }}
  {{- $_ := set $entry "upstreamModel" . }}
{{- end }}
{{- if ($provider.apiKey | default dict).existingSecret }}
  {{- $_ := set $entry "apiKeyFile" (printf "/etc/gateway-providers/%s" .id) }}
  {{- $_ := set $entry "apiKeyHeader" ($provider.apiKey.header | default "authorization") }}
{{- end }}
{{- with $provider.price }}
  {{- $_ := set $entry "price" . }}
{{- end }}
{{- toJson $entry }}
{{- end }}

{{/*
One gateway pod's share of a number of requests, rounded up; with 0, which is no limit, 0. Where pods come and go it is
that of the fewest, so that together they may have more in flight, and never less than the total.
usage: include "ray-vllm-stack.gateway.share" (dict "root" $ "total" 256)
*/}}
{{- define "ray-vllm-stack.gateway.share" -}}
{{- $pods := max 1 (include "ray-vllm-stack.gateway.fewestPods" .root | int) }}
{{- div (add .total (sub $pods 1)) $pods }}
{{- end }}
