{{/*
Guards of what a RAG pipeline needs around it.
usage: include "ray-vllm-stack.validate.pipeline.rag" (dict "root" $ "id" "docs" "pipeline" <pipeline> "path" "pipelines.docs")
*/}}
{{- define "ray-vllm-stack.validate.pipeline.rag" -}}
{{- $values := .root.Values }}
{{- $stores := $values.resolved.vectorStores }}
{{- $cluster := get $values.resolved.clusters .pipeline.cluster | default dict }}
{{- if not $values.data.enabled }}
{{ .path }}: searches documents, but data.enabled is false, set it to true
{{- else if not (hasKey $stores .pipeline.store) }}
{{ .path }}.store: there is no vector store "{{ .pipeline.store }}", use one of: {{ keys $stores | sortAlpha | join ", " | default "(vectorStores is empty)" }}
{{- end }}
{{- if not $values.gateway.enabled }}
{{ .path }}.generate: is asked through the gateway, but gateway.enabled is false, set it to true
{{- end }}
{{- if and $cluster (not $cluster.documents) }}
{{ .path }}.cluster: {{ .pipeline.cluster }} has no access to documents, set clusters.{{ .pipeline.cluster }}.documents to true, which builds a new Ray cluster once
{{- end }}
{{- end }}

{{/*
Guards of a RAG pipeline's prompt and search.
usage: include "ray-vllm-stack.validate.pipeline.prompt" (dict "pipeline" <pipeline> "path" "pipelines.docs")
*/}}
{{- define "ray-vllm-stack.validate.pipeline.prompt" -}}
{{- range $place := list "{documents}" "{question}" }}
{{- if not (contains $place $.pipeline.prompt) }}
{{ $.path }}.prompt: has no {{ $place }}, say where it goes
{{- end }}
{{- end }}
{{- if and .pipeline.rerank (gt (int .pipeline.keep) (int .pipeline.topK)) }}
{{ .path }}.keep: is {{ int .pipeline.keep }}, but the search brings {{ int .pipeline.topK }} to rerank, lower it or raise topK
{{- end }}
{{- with .pipeline.filters }}
{{- $types := list "eq" "ne" "gt" "gte" "lt" "lte" "in" "nin" "and" "or" }}
{{- if not (has .type $types) }}
{{ $.path }}.filters.type: is "{{ .type }}", use one of: {{ join ", " $types }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of the models with which a RAG pipeline finds documents.
usage: include "ray-vllm-stack.validate.pipeline.models" (dict "root" $ "pipeline" <pipeline> "path" "pipelines.docs")
*/}}
{{- define "ray-vllm-stack.validate.pipeline.models" -}}
{{- $embed := include "ray-vllm-stack.pipeline.embed" . }}
{{- $resolved := .root.Values.resolved }}
{{- $known := merge (dict) $resolved.enabled $resolved.routes $resolved.servedNames }}
{{- $asked := list (dict "key" "embed" "name" $embed "tasks" (list "embed")) (dict "key" "rerank" "name" .pipeline.rerank "tasks" (list "score" "embed")) }}
{{- range $asked }}
{{- $model := get $resolved.models .name | default dict }}
{{- if not .name }}
{{- if eq .key "embed" }}
{{ $.path }}.embed: is empty, and so are its store's and data.embed, name a model with task embed
{{- end }}
{{- else if not (hasKey $known .name) }}
{{ $.path }}.{{ .key }}: there is no enabled model or route "{{ .name }}", use one of: {{ keys $known | sortAlpha | join ", " }}
{{- else if and $model (not (has $model.task .tasks)) }}
{{ $.path }}.{{ .key }}: {{ .name }} is a model for {{ $model.task }}, name one with task {{ join " or " .tasks }}
{{- end }}
{{- end }}
{{- $store := (get .root.Values.resolved.vectorStores .pipeline.store | default dict).embed | default .root.Values.data.embed }}
{{- if and .pipeline.embed $store (ne .pipeline.embed $store) (hasKey $resolved.models $store) (hasKey $resolved.models .pipeline.embed) }}
{{ .path }}.embed: is {{ .pipeline.embed }}, but the documents of {{ .pipeline.store }} are embedded by {{ $store }}, whose vectors are others, leave it out
{{- end }}
{{- end }}

{{/*
Guards of the model that writes a RAG pipeline's answers: the gateway has to know it, and it is no pipeline, which might ask
this one again.
usage: include "ray-vllm-stack.validate.pipeline.generate" (dict "root" $ "pipeline" <pipeline> "path" "pipelines.docs")
*/}}
{{- define "ray-vllm-stack.validate.pipeline.generate" -}}
{{- $resolved := .root.Values.resolved }}
{{- $name := .pipeline.generate }}
{{- $known := merge (dict) $resolved.enabled $resolved.routes $resolved.servedNames $resolved.adapters }}
{{- $model := get $resolved.enabled $name | default dict }}
{{- $leads := list $name }}
{{- with get $resolved.routes $name }}
{{- range include "ray-vllm-stack.route.places" . | fromJsonArray }}{{ $leads = append $leads .id }}{{ end }}
{{- end }}
{{- range uniq $leads }}
{{- if hasKey $resolved.pipelines . }}
{{ $.path }}.generate: leads to the pipeline {{ . }}, which might ask this one again, name a model or a route to models
{{- end }}
{{- end }}
{{- if not $name }}
{{ .path }}.generate: is empty, name a model or route that writes the answers
{{- else if hasKey $resolved.providers $name }}
{{ .path }}.generate: {{ $name }} is a provider, which only routes lead to, name a route to it
{{- else if not (or (hasKey $known $name) (hasKey $resolved.pipelines $name)) }}
{{ .path }}.generate: there is no enabled model or route "{{ $name }}", use one of: {{ keys $known | sortAlpha | join ", " }}
{{- else if and $model (ne $model.task "generate") }}
{{ .path }}.generate: {{ $name }} is a model for {{ $model.task }}, name one with task generate
{{- else if $model.private }}
{{ .path }}.generate: {{ $name }} is private, which only routes lead to, name a route to it
{{- end }}
{{- end }}
