{{/*
Guards of the data component and of the vector stores.
usage: include "ray-vllm-stack.validate.data" $
*/}}
{{- define "ray-vllm-stack.validate.data" -}}
{{- $data := .Values.data }}
{{- if $data.enabled }}
{{- if not .Values.gateway.enabled }}
data.enabled: is true, but gateway.enabled is false, and only the gateway leads to files and stores, enable both
{{- end }}
{{ include "ray-vllm-stack.validate.data.replicas" $data }}
{{ include "ray-vllm-stack.validate.data.vectors" $data }}
{{ include "ray-vllm-stack.validate.data.chunk" (dict "path" "data.chunk" "chunk" $data.chunk) }}
{{ include "ray-vllm-stack.validate.data.embed" (dict "root" . "path" "data.embed" "name" $data.embed) }}
{{- if gt (int64 $data.files.maxBytes) (int64 $data.files.maxTeamBytes) }}
{{- if int64 $data.files.maxTeamBytes }}
data.files.maxBytes: is larger than maxTeamBytes ({{ int64 $data.files.maxTeamBytes }}), so that such a file would always be refused, lower it
{{- end }}
{{- end }}
{{- end }}
{{ include "ray-vllm-stack.validate.vectorStores" . }}
{{- end }}

{{/*
Guards of more than one pod: each thing that is kept on the claim is one pod's alone.
usage: include "ray-vllm-stack.validate.data.replicas" .Values.data
*/}}
{{- define "ray-vllm-stack.validate.data.replicas" -}}
{{- if gt (int .replicas) 1 }}
{{- if not .database.existingSecret }}
data.replicas: is {{ int .replicas }}, but SQLite on the claim is one pod's alone, name a Postgres in data.database.existingSecret or set it to 1
{{- end }}
{{- if not .files.url }}
data.replicas: is {{ int .replicas }}, but files on the claim are one pod's alone, name a bucket in data.files.url or set it to 1
{{- end }}
{{- if and (eq .vectors.kind "milvus") (not .vectors.url) }}
data.replicas: is {{ int .replicas }}, but Milvus Lite on the claim is one pod's alone, name a Milvus in data.vectors.url, use pgvector, or set it to 1
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of where vectors are.
usage: include "ray-vllm-stack.validate.data.vectors" .Values.data
*/}}
{{- define "ray-vllm-stack.validate.data.vectors" -}}
{{- with .vectors }}
{{- if and (eq .kind "pgvector") .url }}
data.vectors.url: is that of a Milvus, but kind is pgvector, put the Postgres' URL into a Secret and name it in data.vectors.existingSecret
{{- end }}
{{- if and (eq .kind "pgvector") (not .existingSecret) (not $.database.existingSecret) }}
data.vectors.kind: is pgvector, but there is no Postgres, name one in data.vectors.existingSecret or data.database.existingSecret
{{- end }}
{{- if and (eq .kind "milvus") .existingSecret (not .url) }}
data.vectors.existingSecret: is the token of the Milvus at url, which is empty, set url too
{{- end }}
{{- end }}
{{- end }}

{{/*
Guard of how documents are split.
usage: include "ray-vllm-stack.validate.data.chunk" (dict "path" "data.chunk" "chunk" <chunk>)
*/}}
{{- define "ray-vllm-stack.validate.data.chunk" -}}
{{- with .chunk }}
{{- if gt (mul 2 (int .overlapTokens)) (int .maxTokens) }}
{{ $.path }}.overlapTokens: is {{ int .overlapTokens }}, more than half of maxTokens ({{ int .maxTokens }}), lower it
{{- end }}
{{- end }}
{{- end }}

{{/*
Guard of a name that embeds: it is a route's, or that of a model whose task is embed.
usage: include "ray-vllm-stack.validate.data.embed" (dict "root" $ "path" "data.embed" "name" "minilm")
*/}}
{{- define "ray-vllm-stack.validate.data.embed" -}}
{{- if .name }}
{{- $names := include "ray-vllm-stack.validate.auth.names" .root | fromJsonArray }}
{{- $model := get .root.Values.resolved.models .name | default dict }}
{{- if not (has .name $names) }}
{{ .path }}: there is no model or route "{{ .name }}", use some of: {{ join ", " $names }}
{{- else if and $model (ne $model.task "embed") }}
{{ .path }}: is {{ .name }}, whose task is {{ $model.task }}, name a model of task embed
{{- else if and $model (not $model.enabled) }}
{{ .path }}: is {{ .name }}, which is not enabled, enable it or name another
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of the declared vector stores.
usage: include "ray-vllm-stack.validate.vectorStores" $
*/}}
{{- define "ray-vllm-stack.validate.vectorStores" -}}
{{- $root := . }}
{{- range $name, $store := .Values.resolved.vectorStores }}
{{- $path := printf "vectorStores.%s" $name }}
{{- if not $root.Values.data.enabled }}
{{ $path }}: is there, but data.enabled is false, so that nothing keeps it, enable data or take the store out
{{- else if not (or $store.embed $root.Values.data.embed) }}
{{ $path }}.embed: is empty, and so is data.embed, name a model that embeds
{{- end }}
{{ include "ray-vllm-stack.validate.data.embed" (dict "root" $root "path" (printf "%s.embed" $path) "name" $store.embed) }}
{{- if and $store.team (not (hasKey $root.Values.auth.teams $store.team)) }}
{{ $path }}.team: there is no team "{{ $store.team }}", add it to auth.teams
{{- end }}
{{- if $store.chunk }}
{{- $chunk := include "ray-vllm-stack.data.chunk" (dict "root" $root "store" $store) | fromJson }}
{{ include "ray-vllm-stack.validate.data.chunk" (dict "path" (printf "%s.chunk" $path) "chunk" $chunk) }}
{{- end }}
{{- end }}
{{- end }}
