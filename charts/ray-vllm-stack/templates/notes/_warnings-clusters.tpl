{{/*
Warnings about Ray clusters.
usage: include "ray-vllm-stack.notes.warnings.clusters" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.clusters" -}}
{{- range $name, $cluster := .Values.resolved.clusters }}
{{- $models := $cluster.models }}
{{- $enabled := list }}
{{- range $models }}{{ if .enabled }}{{ $enabled = append $enabled .id }}{{ end }}{{ end }}
{{- if and (not $models) (not $cluster.standalone) $.Values.resolved.used }}
clusters.{{ $name }} has no model, so no Ray cluster was made for it.
{{- else if and $models (not $enabled) }}
clusters.{{ $name }} has no model that is enabled: its Ray cluster has nothing to serve and does not become ready.
{{- end }}
{{- if and $models (not $cluster.faultTolerance.enabled) }}
clusters.{{ $name }}.faultTolerance.enabled is false: with the head pod, its models are away until new workers have loaded them.
{{- end }}
{{ include "ray-vllm-stack.notes.warnings.live" (dict "root" $ "cluster" $cluster) }}
{{- end }}
{{- with include "ray-vllm-stack.clusters.inRedis" . | fromJsonArray }}
The state of Ray is in the embedded Redis, which is a single pod: for production give clusters.<name>.faultTolerance.address.
{{- if gt (len .) 1 }}
The clusters {{ join ", " . }} share the embedded Redis and its password: if their teams do not trust each other, give each an address of its own.
{{- end }}
{{- end }}
{{- end }}

{{/*
Warnings about what an upgrade does to a cluster that runs, or does not do.
usage: include "ray-vllm-stack.notes.warnings.live" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.notes.warnings.live" -}}
{{- $cluster := .cluster }}
{{- $live := lookup "ray.io/v1" "RayService" .root.Release.Namespace $cluster.rayService }}
{{- $bounds := dict }}
{{- $now := list }}
{{- range $cluster.groups }}
{{- $_ := set $bounds .name (int .maxWorkers) }}
{{- $now = append $now .name }}
{{- end }}
{{- $groups := list }}
{{- range dig "spec" "rayClusterConfig" "workerGroupSpecs" list $live }}
{{- $groups = append $groups .groupName }}
{{- if and (hasKey $bounds .groupName) (ne (int .maxReplicas) (get $bounds .groupName | int)) }}
clusters.{{ $cluster.name }}: maxWorkers of its worker group {{ .groupName }}, {{ int .maxReplicas }} -> {{ get $bounds .groupName }}, does not reach the running cluster; it counts from the next one that KubeRay builds.
{{- end }}
{{- end }}
{{- if and $groups $now (not (hasPrefix (printf "%s," (join "," $groups)) (printf "%s," (join "," $now)))) }}
clusters.{{ $cluster.name }}: its worker groups were {{ join ", " $groups }} and are now {{ join ", " $now }}. KubeRay builds a new cluster beside the old one; only a group at the end is added in place.
{{- end }}
{{- end }}

{{/*
The `workerGroups` of the clusters whose groups are derived, to paste into a values file, or nothing.
usage: include "ray-vllm-stack.notes.workerGroups" $
*/}}
{{- define "ray-vllm-stack.notes.workerGroups" -}}
{{- $clusters := dict }}
{{- range $name := .Values.resolved.used }}
  {{- $cluster := get $.Values.resolved.clusters $name }}
  {{- $groups := dict }}
  {{- range $index, $group := $cluster.groups }}
    {{- $stated := dict "accelerator" $group.accelerator "order" (mul 10 (add1 $index)) }}
    {{- if gt (int $group.devices) 1 }}{{ $_ := set $stated "devices" (int $group.devices) }}{{ end }}
    {{- if not $group.stated }}{{ $_ := set $groups $group.name $stated }}{{ end }}
  {{- end }}
  {{- if $groups }}{{ $_ := set $clusters $name (dict "workerGroups" $groups) }}{{ end }}
{{- end }}
{{- with $clusters }}
{{- toYaml (dict "clusters" .) }}
{{- end }}
{{- end }}
