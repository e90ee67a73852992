{{/*
Warnings about Ray clusters.
usage: include "ray-vllm-stack.notes.warnings.clusters" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.clusters" -}}
{{- range $name, $_ := .Values.clusters }}
{{- $cluster := include "ray-vllm-stack.cluster.resolved" (dict "root" $ "name" $name) | fromJson }}
{{- $models := include "ray-vllm-stack.cluster.models" (dict "root" $ "name" $name) | fromJson }}
{{- $enabled := list }}
{{- range $models }}{{ if .enabled }}{{ $enabled = append $enabled .id }}{{ end }}{{ end }}
{{- if not $models }}
clusters.{{ $name }} has no model, so no Ray cluster was made for it.
{{- else if not $enabled }}
clusters.{{ $name }} has no model that is enabled: its Ray cluster has nothing to serve and does not become ready.
{{- end }}
{{- if and $models (not $cluster.faultTolerance.enabled) }}
clusters.{{ $name }}.faultTolerance.enabled is false: with the head pod, its models are away until new workers have loaded them.
{{- end }}
{{ include "ray-vllm-stack.notes.warnings.live" (dict "root" $ "name" $name "models" $models) }}
{{- end }}
{{- if include "ray-vllm-stack.clusters.useRedis" . }}
The state of Ray is in the embedded Redis, which is a single pod: for production give clusters.<name>.faultTolerance.address.
{{- end }}
{{- if and (include "ray-vllm-stack.redis.enabled" .) (not .Values.redis.existingSecret) }}
The password of the embedded Redis is made at install. Argo CD and others that render without the cluster make a new one each time, which locks out those that hold the old one: set redis.existingSecret there.
{{- end }}
{{- end }}

{{/*
Warnings about what an upgrade does to a cluster that runs, or does not do.
usage: include "ray-vllm-stack.notes.warnings.live" (dict "root" $ "name" "main" "models" <map>)
*/}}
{{- define "ray-vllm-stack.notes.warnings.live" -}}
{{- $live := lookup "ray.io/v1" "RayService" .root.Release.Namespace (include "ray-vllm-stack.cluster.name" .) }}
{{- $classes := include "ray-vllm-stack.accelerators.of" . | fromJsonArray }}
{{- $groups := list }}
{{- range dig "spec" "rayClusterConfig" "workerGroupSpecs" list $live }}
{{- $groups = append $groups .groupName }}
{{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" $.root "name" .groupName) | fromJson }}
{{- if and (has .groupName $classes) (ne (int .maxReplicas) (int $class.maxWorkers)) }}
accelerators.{{ .groupName }}.maxWorkers: {{ int .maxReplicas }} -> {{ int $class.maxWorkers }} does not reach the running cluster {{ $.name }}; it counts from the next one that KubeRay builds.
{{- end }}
{{- end }}
{{- if and $groups $classes (not (hasPrefix (printf "%s," (join "," $groups)) (printf "%s," (join "," $classes)))) }}
clusters.{{ .name }}: its worker groups were {{ join ", " $groups }} and are now {{ join ", " $classes }}. KubeRay builds a new cluster beside the old one; only a class at the end is added in place.
{{- end }}
{{- end }}
