{{/*
Name of an object of one component. Two that are too long stay two: a cut name ends with a hash of the whole.
usage: include "ray-vllm-stack.component.name" (dict "root" $ "component" "gateway")
*/}}
{{- define "ray-vllm-stack.component.name" -}}
{{- $name := printf "%s-%s" (include "ray-vllm-stack.fullname" .root) .component }}
{{- include "ray-vllm-stack.name.short" (dict "name" $name "max" 63) }}
{{- end }}

{{/*
Name of a cluster-scoped object, which holds the namespace. None of its parts has a dot, so that no two releases share
one: release `b` in namespace `x-a` has `x-a.b.l4`, and release `a-b` in namespace `x` has `x.a-b.l4`.
usage: include "ray-vllm-stack.clusterScoped.name" (dict "root" $ "component" "l4")
*/}}
{{- define "ray-vllm-stack.clusterScoped.name" -}}
{{- $name := list .root.Release.Namespace (include "ray-vllm-stack.fullname" .root) .component | compact | join "." }}
{{- include "ray-vllm-stack.name.short" (dict "name" $name "max" 63) }}
{{- end }}

{{/*
A name of at most so many characters; labels and most names hold 63.
usage: include "ray-vllm-stack.name.short" (dict "name" "demo-ray-vllm-stack-gateway" "max" 63)
*/}}
{{- define "ray-vllm-stack.name.short" -}}
{{- if le (len .name) (int .max) }}
{{- .name }}
{{- else }}
{{- printf "%s-%s" (trunc (sub .max 9 | int) .name | trimSuffix "-" | trimSuffix ".") (sha256sum .name | trunc 8) }}
{{- end }}
{{- end }}
