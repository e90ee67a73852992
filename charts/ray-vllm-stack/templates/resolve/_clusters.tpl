{{/*
Name of the RayService of a cluster.
usage: include "ray-vllm-stack.cluster.name" (dict "root" $ "name" "main")
*/}}
{{- define "ray-vllm-stack.cluster.name" -}}
{{- printf "%s-%s" (include "ray-vllm-stack.fullname" .root) .name }}
{{- end }}

{{/*
URL of a cluster's Ray Serve inside Kubernetes. KubeRay makes the Service once the cluster is ready.
usage: include "ray-vllm-stack.cluster.url" (dict "root" $ "name" "main")
*/}}
{{- define "ray-vllm-stack.cluster.url" -}}
{{- printf "http://%s-serve-svc.%s.svc:8000" (include "ray-vllm-stack.cluster.name" .) .root.Release.Namespace }}
{{- end }}

{{/*
A cluster with `clusterDefaults` filled in, as JSON.
usage: include "ray-vllm-stack.cluster.resolved" (dict "root" $ "name" "main") | fromJson
*/}}
{{- define "ray-vllm-stack.cluster.resolved" -}}
{{- $own := get .root.Values.clusters .name | default dict }}
{{- $entry := dict "defaults" .root.Values.clusterDefaults "entry" $own "more" (dict "name" .name) }}
{{- include "ray-vllm-stack.merge.entry" $entry }}
{{- end }}

{{/*
The models of a cluster, disabled ones too, as a JSON map by id.
usage: include "ray-vllm-stack.cluster.models" (dict "root" $ "name" "main") | fromJson
*/}}
{{- define "ray-vllm-stack.cluster.models" -}}
{{- $name := .name }}
{{- $models := dict }}
{{- range $id, $model := include "ray-vllm-stack.models.all" .root | fromJson }}
  {{- if eq $model.cluster $name }}
    {{- $_ := set $models $id $model }}
  {{- end }}
{{- end }}
{{- toJson $models }}
{{- end }}

{{/*
Names of the clusters that have a model, as a sorted JSON array. Only these are rendered.
usage: include "ray-vllm-stack.clusters.used" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.clusters.used" -}}
{{- $names := list }}
{{- range include "ray-vllm-stack.models.all" . | fromJson }}
  {{- if kindIs "map" (get $.Values.clusters .cluster) }}
    {{- $names = append $names .cluster }}
  {{- end }}
{{- end }}
{{- $names | uniq | sortAlpha | toJson }}
{{- end }}

{{/*
Whether a rendered cluster keeps its state in the embedded Redis: "true" or nothing.
usage: if include "ray-vllm-stack.clusters.useRedis" $
*/}}
{{- define "ray-vllm-stack.clusters.useRedis" -}}
{{- $use := false }}
{{- range include "ray-vllm-stack.clusters.used" . | fromJsonArray }}
  {{- $cluster := include "ray-vllm-stack.cluster.resolved" (dict "root" $ "name" .) | fromJson }}
  {{- $use = or $use (and $cluster.faultTolerance.enabled (not $cluster.faultTolerance.address)) }}
{{- end }}
{{- if $use }}true{{ end }}
{{- end }}
