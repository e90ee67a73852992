{{/*
What the partials of one RayService share, as JSON: name, rayService, cluster, models, kind (cpu or gpu), image, claims
and classes. The caller adds `root`.
usage: include "ray-vllm-stack.serving.context" (dict "root" $ "name" "main") | fromJson
*/}}
{{- define "ray-vllm-stack.serving.context" -}}
{{- $models := include "ray-vllm-stack.cluster.models" . | fromJson }}
{{- $kind := "cpu" }}
{{- $claims := list }}
{{- range $models }}
  {{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" $.root "name" .accelerator) | fromJson }}
  {{- $kind = $class.kind }}
  {{- if hasPrefix "pvc://" .source }}
    {{- $claims = append $claims (trimPrefix "pvc://" .source | splitList "/" | first) }}
  {{- end }}
{{- end }}
{{- $cluster := include "ray-vllm-stack.cluster.resolved" . | fromJson }}
{{- $version := (include "ray-vllm-stack.versions" .root | fromJson).serveImage }}
{{- $tag := printf "%s-%s" $version (ternary "cpu" "cuda" (eq $kind "cpu")) }}
{{- dict
  "name" .name
  "rayService" (include "ray-vllm-stack.cluster.name" .)
  "cluster" $cluster
  "models" $models
  "kind" $kind
  "image" (include "ray-vllm-stack.image" (dict "root" .root "image" $cluster.image "tag" $tag))
  "claims" ($claims | uniq | sortAlpha)
  "classes" (include "ray-vllm-stack.accelerators.of" (dict "root" .root "models" $models) | fromJsonArray)
  | toJson }}
{{- end }}
