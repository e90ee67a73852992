{{/*
The versions that belong together, as JSON: files/versions.yaml is a copy of the repository's versions.yaml.
usage: include "ray-vllm-stack.versions" $ | fromJson
*/}}
{{- define "ray-vllm-stack.versions" -}}
{{- .Files.Get "files/versions.yaml" | fromYaml | toJson }}
{{- end }}
