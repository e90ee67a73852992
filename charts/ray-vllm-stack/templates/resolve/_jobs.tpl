{{/*
The jobs by name, as JSON: entries over `jobDefaults`, `sampling` whole, with the `cluster` that each runs on: a copy of the
model's, under a name of its own, with one worker group and without models, pipelines or fault tolerance. What a job
lacks is said by its guards.
usage: include "ray-vllm-stack.resolve.jobs" (dict "root" $ "models" … "classes" … "clusters" …) | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.jobs" -}}
{{- $jobs := dict }}
{{- range $name, $entry := .root.Values.jobs }}
  {{- if kindIs "map" $entry }}
    {{- $layers := dict "defaults" $.root.Values.jobDefaults "entry" $entry "more" (dict "name" $name) }}
    {{- $job := include "ray-vllm-stack.merge.entry" $layers | fromJson }}
    {{- $_ := set $job "sampling" ($entry.sampling | default $.root.Values.jobDefaults.sampling) }}
    {{- $model := get $.models $job.model | default dict }}
    {{- $class := get $.classes ($job.workers.accelerator | default $model.accelerator | default "") | default dict }}
    {{- $cluster := get $.clusters ($model.cluster | default "") | default dict }}
    {{- $_ := set $job "modelCluster" ($model.cluster | default "") }}
    {{- if and $model $class $cluster }}
      {{- $context := dict "root" $.root "job" $job "model" $model "class" $class "cluster" $cluster }}
      {{- $_ := include "ray-vllm-stack.resolve.jobCluster" $context | fromJson | set $job "cluster" }}
    {{- end }}
    {{- $_ := set $jobs $name $job }}
  {{- end }}
{{- end }}
{{- toJson $jobs }}
{{- end }}

{{/*
The Ray cluster of a job, as JSON.
usage: include "ray-vllm-stack.resolve.jobCluster" (dict "root" $ "job" … "model" … "class" … "cluster" …) | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.jobCluster" -}}
{{- $part := include "ray-vllm-stack.model.parts" (dict "model" .model "class" .class) | fromJsonArray | first }}
{{- $pods := .job.workers.pods }}
{{- if .job.workers.spot }}
  {{- $pods = append $pods (dict "nodeSelector" (dict "karpenter.sh/capacity-type" "spot")) }}
{{- end }}
{{- $group := dict "name" .class.name "accelerator" .class.name "devices" (int $part.devices) "hosts" (int $part.hosts) "pods" $pods }}
{{- $_ := set $group "maxWorkers" (mul (int .job.workers.max) (int $part.hosts)) }}
{{- $claims := list }}
{{- range list .job.input .job.output }}
  {{- if hasPrefix "pvc://" . }}{{ $claims = append $claims (trimPrefix "pvc://" . | splitList "/" | first) }}{{ end }}
{{- end }}
{{- $more := dict
  "name" (printf "job-%s" .job.name)
  "base" .cluster.name
  "models" dict
  "pipelines" dict
  "documents" false
  "groups" (list $group)
  "claims" (include "ray-vllm-stack.model.claims" .model | fromJsonArray | uniq | sortAlpha)
  "jobClaims" ($claims | uniq | sortAlpha)
  "part" $part
  "model" .model
  "class" .class.name }}
{{- $cluster := omit .cluster "models" "pipelines" "standalone" "groups" "claims" "workerGroups" "specs" }}
{{- $_ := set $cluster "faultTolerance" (dict "enabled" false) }}
{{- mergeOverwrite (deepCopy $cluster) $more | toJson }}
{{- end }}
