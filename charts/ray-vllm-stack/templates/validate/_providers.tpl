{{/*
Guards of the providers, which are the gateway's own rules for a model: it would refuse its configuration.
usage: include "ray-vllm-stack.validate.providers" $
*/}}
{{- define "ray-vllm-stack.validate.providers" -}}
{{- range $id, $provider := .Values.resolved.providers }}
{{- $path := printf "providers.%s" $id }}
{{- $endpoint := regexFind "/(chat/completions|completions|responses|messages|embeddings|rerank)/*$" ($provider.baseUrl | default "") }}
{{- if not $provider.baseUrl }}
{{ $path }}.baseUrl: is empty, set the base URL that the provider documents, such as https://api.example.com/v1
{{- else if $endpoint }}
{{ $path }}.baseUrl: ends with {{ $endpoint }}, which the gateway adds itself, leave that part out
{{- end }}
{{- if hasKey ($provider.fields | default dict) "stream" }}
{{ $path }}.fields.stream: decides how the answer is read, leave it out
{{- end }}
{{ include "ray-vllm-stack.validate.provider.apis" (dict "path" $path "provider" $provider) }}
{{ include "ray-vllm-stack.validate.provider.headers" (dict "path" $path "provider" $provider) }}
{{- end }}
{{- end }}

{{/*
Guard of the APIs of a provider: a model for one thing has none for another.
usage: include "ray-vllm-stack.validate.provider.apis" (dict "path" "providers.far" "provider" <provider>)
*/}}
{{- define "ray-vllm-stack.validate.provider.apis" -}}
{{- $task := .provider.task | default "generate" }}
{{- $known := dict
  "generate" (list "chat_completions" "completions" "responses" "messages" "count_tokens" "tokenize" "detokenize")
  "embed" (list "embeddings" "embed" "rerank" "score" "pooling" "tokenize" "detokenize")
  "score" (list "rerank" "score" "classify" "pooling" "tokenize" "detokenize")
  "transcribe" (list "transcriptions" "translations" "tokenize" "detokenize") }}
{{- range .provider.apis }}
{{- if not (has . (get $known $task)) }}
{{ $.path }}.apis: has {{ . }}, but the provider's task is {{ $task }}, use some of: {{ get $known $task | join ", " }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a provider's headers: some are the gateway's, or a connection's.
usage: include "ray-vllm-stack.validate.provider.headers" (dict "path" "providers.far" "provider" <provider>)
*/}}
{{- define "ray-vllm-stack.validate.provider.headers" -}}
{{- $own := list "authorization" "connection" "content-length" "content-type" "expect" "host" "keep-alive"
  "proxy-authorization" "proxy-connection" "te" "trailer" "transfer-encoding" "upgrade" "x-request-id" }}
{{- $key := (.provider.apiKey | default dict).header | default "authorization" | lower }}
{{- $seen := list }}
{{- range $name, $_ := .provider.headers }}
{{- if has (lower $name) $own }}
{{ $.path }}.headers.{{ $name }}: is set by the gateway itself, leave it out{{ if eq (lower $name) "authorization" }} and use apiKey{{ end }}
{{- else if has (lower $name) $seen }}
{{ $.path }}.headers.{{ $name }}: is there twice, apart from upper and lower case, leave one out
{{- else if and (eq (lower $name) $key) (($.provider.apiKey | default dict).existingSecret) }}
{{ $.path }}.headers.{{ $name }}: carries the key of apiKey, leave it out
{{- end }}
{{- $seen = append $seen (lower $name) }}
{{- end }}
{{- if and (ne $key "authorization") (has $key $own) }}
{{ .path }}.apiKey.header: is {{ $key }}, which the gateway sets itself, use the header that the provider documents
{{- end }}
{{- end }}
