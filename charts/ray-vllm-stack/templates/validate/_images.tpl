{{/*
Guards of a cluster's serve image, where there is none of ours.
usage: include "ray-vllm-stack.validate.cluster.image" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.validate.cluster.image" -}}
{{- $resolved := .root.Values.resolved }}
{{- $cluster := .cluster }}
{{- $platform := get $resolved.platforms $cluster.platform | default dict }}
{{- if and $cluster.platform (not $cluster.image.tag) (not $cluster.image.digest) }}
{{- $path := printf "clusters.%s.image.tag" $cluster.name }}
{{- if not $platform.imageTag }}
{{ $path }}: is empty, and there is no serve image of ours for platform {{ $cluster.platform }}, name one with Ray, vLLM and serve_app{{ with $platform.imageHint }} ({{ . }}){{ end }}
{{- else }}
{{- range $name := include "ray-vllm-stack.validate.cluster.arm" . | fromJsonArray }}
{{ $path }}: is empty, and our serve images are for amd64, but nodes of class {{ $name }} are arm64, name one that is built for arm64
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The classes of a cluster's worker groups whose nodes are arm64, as a JSON array.
usage: include "ray-vllm-stack.validate.cluster.arm" (dict "root" $ "cluster" <cluster>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.validate.cluster.arm" -}}
{{- $names := list }}
{{- range .cluster.groups }}
  {{- $class := get $.root.Values.resolved.classes (.accelerator | default "") | default dict }}
  {{- if eq ($class.architecture | default "") "arm64" }}
    {{- $names = append $names $class.name }}
  {{- end }}
{{- end }}
{{- $names | uniq | toJson }}
{{- end }}
