{{/*
What serve_app is told of a RAG pipeline, as JSON.
usage: include "ray-vllm-stack.pipelines.args" (dict "root" $ "pipeline" <pipeline>)
*/}}
{{- define "ray-vllm-stack.pipelines.args" -}}
{{- $pipeline := .pipeline }}
{{- $embed := include "ray-vllm-stack.pipeline.embed" . }}
{{- $args := dict
  "pipeline_id" $pipeline.id
  "data" (dict "url" (include "ray-vllm-stack.data.url" .root) "token_file" "/etc/ray-vllm-stack/token")
  "gateway" (include "ray-vllm-stack.pipelines.gateway" .root | fromJson)
  "store" (include "ray-vllm-stack.pipelines.store" . | fromJson)
  "embed" (include "ray-vllm-stack.pipeline.asked" (merge (dict "model" $embed) .) | fromJson)
  "generate" $pipeline.generate
  "query_prefix" $pipeline.queryPrefix
  "top_k" (int $pipeline.topK)
  "keep" (int $pipeline.keep)
  "min_score" $pipeline.minScore
  "context_characters" (int $pipeline.contextCharacters)
  "filters" $pipeline.filters
  "hybrid" $pipeline.hybrid
  "prompt" $pipeline.prompt
  "not_found" $pipeline.notFound
  "wait_seconds" $pipeline.waitSeconds
  "versions" (pick (include "ray-vllm-stack.versions" .root | fromJson) "ray" "vllm") }}
{{- with $pipeline.rerank }}
  {{- $_ := include "ray-vllm-stack.pipeline.asked" (merge (dict "model" .) $) | fromJson | set $args "rerank" }}
{{- end }}
{{- with include "ray-vllm-stack.pipelines.tracing" .root | fromJson }}
  {{- $_ := set $args "tracing" . }}
{{- end }}
{{- toJson $args }}
{{- end }}

{{/*
Where a pipeline's spans go, as JSON; empty for nowhere.
usage: include "ray-vllm-stack.pipelines.tracing" $ | fromJson
*/}}
{{- define "ray-vllm-stack.pipelines.tracing" -}}
{{- $tracing := dict }}
{{- with .Values.gateway.tracing }}
  {{- if .endpoint }}
    {{- $tracing = dict "endpoint" .endpoint "sample" (divf .samplePercent 100) }}
  {{- end }}
{{- end }}
{{- toJson $tracing }}
{{- end }}

{{/*
Where a pipeline asks models, as JSON: the gateway, with a token where it wants one.
usage: include "ray-vllm-stack.pipelines.gateway" $ | fromJson
*/}}
{{- define "ray-vllm-stack.pipelines.gateway" -}}
{{- $name := include "ray-vllm-stack.gateway.name" . }}
{{- $gateway := dict "url" (printf "http://%s.%s.svc:%d" $name .Release.Namespace (int .Values.gateway.service.port)) }}
{{- if .Values.auth.enabled }}
  {{- $_ := set $gateway "token_file" "/etc/ray-vllm-stack/gateway-token" }}
{{- end }}
{{- toJson $gateway }}
{{- end }}

{{/*
The vector store of a pipeline, as JSON.
usage: include "ray-vllm-stack.pipelines.store" (dict "root" $ "pipeline" <pipeline>) | fromJson
*/}}
{{- define "ray-vllm-stack.pipelines.store" -}}
{{- $store := dict "id" (printf "vs_%s" .pipeline.store) }}
{{- with (get .root.Values.resolved.vectorStores .pipeline.store | default dict).team }}
  {{- $_ := set $store "team" . }}
{{- end }}
{{- toJson $store }}
{{- end }}

{{/*
Volumes of the tokens and of the tools' credentials, as YAML, or nothing: whether Ray pods have them is the cluster's own word,
for it rebuilds the cluster.
usage: include "ray-vllm-stack.pipelines.volume" <context>
*/}}
{{- define "ray-vllm-stack.pipelines.volume" -}}
{{- if .cluster.documents -}}
- name: documents
  secret:
    secretName: {{ include "ray-vllm-stack.data.secret" .root }}
    items:
      - {key: token, path: token}
      - {key: gateway-token, path: gateway-token}
{{- end }}
{{- with .cluster.toolCredentials.existingSecret }}
- name: tool-credentials
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
