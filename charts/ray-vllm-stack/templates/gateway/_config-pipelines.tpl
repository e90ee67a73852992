{{/*
A pipeline's entry in the gateway's configuration, as JSON: a model, whose tokens are those of all the models that it asks.
Serve may end its work where a client leaves, which for models of vLLM is left to vLLM itself.
usage: include "ray-vllm-stack.gateway.config.pipeline" (dict "root" $ "pipeline" <pipeline>) | fromJson
*/}}
{{- define "ray-vllm-stack.gateway.config.pipeline" -}}
{{- $pipeline := .pipeline }}
{{- $total := 0 }}
{{- if hasKey $pipeline "maxConcurrentRequests" }}
  {{- $total = int $pipeline.maxConcurrentRequests }}
{{- else if ne $pipeline.kind "custom" }}
  {{- $replicas := (first $pipeline.deployments).replicas }}
  {{- $total = mul (int $replicas.max) (int $replicas.maxOngoingRequests) }}
{{- end }}
{{- $apis := ternary (list "chat_completions" "responses") (list "chat_completions") (ne $pipeline.kind "custom") }}
{{- $entry := dict
  "url" (printf "%s/pipelines/%s" (get .root.Values.resolved.clusters $pipeline.cluster).url $pipeline.id)
  "apis" ($pipeline.apis | default $apis)
  "headers" (dict "x-request-disconnect-disabled" "?0")
  "ownedBy" $pipeline.ownedBy
  "maxConcurrentRequests" (include "ray-vllm-stack.gateway.share" (dict "root" .root "total" $total) | int) }}
{{- if $pipeline.private }}
  {{- $_ := set $entry "private" true }}
{{- end }}
{{- if include "ray-vllm-stack.pipeline.sleeps" $pipeline }}
  {{- $_ := set $entry "scalesToZero" true }}
{{- end }}
{{- $models := merge (dict) .root.Values.resolved.enabled .root.Values.resolved.providers }}
{{- $price := $pipeline.price | default (get $models $pipeline.generate | default dict).price }}
{{- with $price }}
  {{- $_ := set $entry "price" . }}
{{- end }}
{{- toJson $entry }}
{{- end }}
