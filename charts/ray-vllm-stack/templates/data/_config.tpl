{{/*
The data component's configuration file.
usage: include "ray-vllm-stack.data.config" $
*/}}
{{- define "ray-vllm-stack.data.config" -}}
{{- $data := .Values.data }}
{{- $gateway := printf "http://%s.%s.svc:%d" (include "ray-vllm-stack.gateway.name" .) .Release.Namespace (int .Values.gateway.service.port) }}
{{- $stores := dict }}
{{- range $name, $store := .Values.resolved.vectorStores }}
  {{- $_ := set $stores $name (set (deepCopy $store) "embed" ($store.embed | default $data.embed)) }}
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
  "ingest" $data.ingest
  "stores" $stores | toYaml }}
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
