{{/*
The port of a URL: what it says, or its scheme's.
usage: include "ray-vllm-stack.url.port" "https://api.example.com/llm" | int
*/}}
{{- define "ray-vllm-stack.url.port" -}}
{{- $ports := dict "http" 80 "https" 443 "redis" 6379 "rediss" 6379 }}
{{- $parts := regexReplaceAll "^([a-z]+)://([^@/]*@)?(\\[[^]]*\\]|[^/:]*)(:([0-9]+))?.*$" . "${1} ${5}" | splitList " " }}
{{- last $parts | default (get $ports (first $parts)) }}
{{- end }}
