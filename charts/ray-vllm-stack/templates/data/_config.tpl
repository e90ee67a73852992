{{/*
The data component's configuration file.
usage: include "ray-vllm-stack.data.config" $
*/}}
{{- define "ray-vllm-stack.data.config" -}}
{{- $data := .Values.data }}
{{- $gateway := printf "http://%s.%s.svc:%d" (include "ray-vllm-stack.gateway.name" .) .Release.Namespace (int .Values.gateway.service.port) }}
{{- $stores := dict }}
{{- range $name, $store := .Values.resolved.vectorStores }}
  {{- $chunk := include "ray-vllm-stack.data.chunk" (dict "root" $ "store" $store) | fromJson }}
  {{- $_ := mergeOverwrite (deepCopy $store) (dict "embed" ($store.embed | default $data.embed) "chunk" $chunk) | set $stores $name }}
{{- end }}
{{- $whole := list "maxBytes" "maxTeamBytes" }}
{{- $files := dict "url" $data.files.url }}
{{- range $whole }}{{ $_ := get $data.files . | int64 | set $files . }}{{ end }}
{{- dict
  "gatewayUrl" $gateway
  "directory" "/var/lib/data"
  "embed" $data.embed
  "files" $files
  "vectors" (pick $data.vectors "kind" "url" "timeoutSeconds")
  "chunk" $data.chunk
  "ingest" $data.ingest
  "batches" (omit $data.batches "priceFactor")
  "stores" $stores | toYaml }}
{{- end }}

{{/*
How a declared store's documents are split, as JSON: an overlap of `data.chunk` is no overlap of other parts.
usage: include "ray-vllm-stack.data.chunk" (dict "root" $ "store" <store>) | fromJson
*/}}
{{- define "ray-vllm-stack.data.chunk" -}}
{{- $own := .store.chunk | default dict }}
{{- ternary $own (mergeOverwrite (deepCopy .root.Values.data.chunk) $own) (hasKey $own "maxTokens") | toJson }}
{{- end }}

{{/*
Whether the data component keeps anything on its claim: "true" or nothing. Then there is one pod.
usage: if include "ray-vllm-stack.data.onClaim" $
*/}}
{{- define "ray-vllm-stack.data.onClaim" -}}
{{- with .Values.data }}
{{- $lite := and (eq .vectors.kind "milvus") (not .vectors.url) }}
{{- if or (not .database.existingSecret) (not .files.url) $lite }}true{{ end }}
{{- end }}
{{- end }}
