{{/*
Name of an object of one component. Two that are too long stay two: a cut name ends with a hash of the whole.
usage: include "ray-vllm-stack.component.name" (dict "root" $ "component" "gateway")
*/}}
{{- define "ray-vllm-stack.component.name" -}}
{{- include "ray-vllm-stack.name.short" (printf "%s-%s" (include "ray-vllm-stack.fullname" .root) .component) }}
{{- end }}

{{/*
Name of a cluster-scoped object, which holds the namespace: releases of one name in two namespaces have two.
usage: include "ray-vllm-stack.clusterScoped.name" (dict "root" $ "component" "l4")
*/}}
{{- define "ray-vllm-stack.clusterScoped.name" -}}
{{- $name := printf "%s-%s" .root.Release.Namespace (include "ray-vllm-stack.fullname" .root) }}
{{- include "ray-vllm-stack.name.short" (list $name .component | compact | join "-") }}
{{- end }}

{{/*
A name of at most 63 characters, as labels and most names hold.
usage: include "ray-vllm-stack.name.short" "demo-ray-vllm-stack-gateway"
*/}}
{{- define "ray-vllm-stack.name.short" -}}
{{- if le (len .) 63 }}
{{- . }}
{{- else }}
{{- printf "%s-%s" (trunc 54 . | trimSuffix "-" | trimSuffix ".") (sha256sum . | trunc 8) }}
{{- end }}
{{- end }}
