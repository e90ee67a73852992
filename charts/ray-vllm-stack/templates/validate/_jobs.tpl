{{/*
Guards of the jobs.
usage: include "ray-vllm-stack.validate.jobs" $
*/}}
{{- define "ray-vllm-stack.validate.jobs" -}}
{{- range $name, $job := .Values.resolved.jobs }}
{{- $context := dict "root" $ "job" $job "path" (printf "jobs.%s" $name) }}
{{ include "ray-vllm-stack.validate.job.model" $context }}
{{ include "ray-vllm-stack.validate.job.files" $context }}
{{ include "ray-vllm-stack.validate.job.workers" $context }}
{{ include "ray-vllm-stack.validate.job.schedule" $context }}
{{- end }}
{{- end }}

{{/*
Guards of the model that a job takes.
usage: include "ray-vllm-stack.validate.job.model" (dict "root" $ "job" <job> "path" "jobs.reviews")
*/}}
{{- define "ray-vllm-stack.validate.job.model" -}}
{{- $models := .root.Values.resolved.models }}
{{- $model := get $models .job.model }}
{{- if not .job.model }}
{{ .path }}.model: is empty, name a key of models
{{- else if not $model }}
{{ .path }}.model: there is no model "{{ .job.model }}", use one of: {{ keys $models | sortAlpha | join ", " }}
{{- else }}
{{- if not (has $model.task (list "generate" "embed")) }}
{{ .path }}.model: {{ .job.model }} has task {{ $model.task }}, use one with task generate or embed
{{- end }}
{{- if $model.roles }}
{{ .path }}.model: {{ .job.model }} has roles, which a job does not, use a model without
{{- end }}
{{- if gt (int $model.parallelism.data) 1 }}
{{ .path }}.model: {{ .job.model }} has parallelism.data, in place of which a job has workers.max, use a model without
{{- end }}
{{- if lt (float64 $model.acceleratorShare) 1.0 }}
{{ .path }}.model: {{ .job.model }} has an acceleratorShare, but workers.max counts whole devices, use a model without
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a job's input and output.
usage: include "ray-vllm-stack.validate.job.files" (dict "job" <job> "path" "jobs.reviews")
*/}}
{{- define "ray-vllm-stack.validate.job.files" -}}
{{- $input := trimSuffix "/" .job.input }}
{{- $output := trimSuffix "/" .job.output }}
{{- range list "input" "output" }}
{{- if not (get $.job .) }}
{{ $.path }}.{{ . }}: is empty, name a folder as s3://BUCKET/PATH, gs://BUCKET/PATH or pvc://CLAIM/PATH
{{- else if has ".." (splitList "/" (get $.job .)) }}
{{ $.path }}.{{ . }}: has .. in its path, name the folder itself
{{- end }}
{{- end }}
{{- if and $input (or (eq $input $output) (hasPrefix (printf "%s/" $input) $output) (hasPrefix (printf "%s/" $output) $input)) }}
{{ .path }}.output: lies in the input or around it, so that a job would read what it wrote, name a folder beside it
{{- end }}
{{- range $job := .root.Values.resolved.jobs }}
{{- if and $output (ne $job.name $.job.name) (eq (trimSuffix "/" $job.output) $output) }}
{{ $.path }}.output: is also that of the job {{ $job.name }}, name one for each
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a job's workers.
usage: include "ray-vllm-stack.validate.job.workers" (dict "root" $ "job" <job> "path" "jobs.reviews")
*/}}
{{- define "ray-vllm-stack.validate.job.workers" -}}
{{- $workers := .job.workers }}
{{- $classes := .root.Values.resolved.classes }}
{{- if gt (int $workers.min) (int $workers.max) }}
{{ .path }}.workers.min: is {{ int $workers.min }} and max is {{ int $workers.max }}, lower min or raise max
{{- end }}
{{- if and $workers.accelerator (not (hasKey $classes $workers.accelerator)) }}
{{ .path }}.workers.accelerator: there is no class "{{ $workers.accelerator }}", use a key of accelerators
{{- else if and $workers.accelerator .job.cluster }}
{{- $model := get .root.Values.resolved.models .job.model }}
{{- $own := get $classes $model.accelerator | default dict }}
{{- $given := get $classes $workers.accelerator }}
{{- if ne ($own.platform | default "") $given.platform }}
{{ .path }}.workers.accelerator: {{ $workers.accelerator }} is of platform {{ $given.platform }}, but {{ .job.model }}'s cluster has the image of {{ $own.platform }}, use a class of that
{{- end }}
{{- end }}
{{- if and $workers.spot .job.cluster }}
{{- $pool := include "ray-vllm-stack.capacity.nodePool" (dict "root" .root "name" .job.cluster.class) | fromJson }}
{{- if not .root.Values.capacity.enabled }}
{{ .path }}.workers.spot: asks for Karpenter's nodes, but capacity.enabled is false, state a nodeSelector in workers.pod instead
{{- else if eq $pool.spot "never" }}
{{ .path }}.workers.spot: the node pool of {{ .job.cluster.class }} has no spot nodes, set capacity.nodePools.{{ .job.cluster.class }}.spot to prefer
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a job's schedule and of who runs it.
usage: include "ray-vllm-stack.validate.job.schedule" (dict "root" $ "job" <job> "path" "jobs.reviews")
*/}}
{{- define "ray-vllm-stack.validate.job.schedule" -}}
{{- $operator := index .root.Values "kuberay-operator" }}
{{- $gate := false }}
{{- range $operator.featureGates | default list }}
  {{- if and (eq .name "RayCronJob") .enabled }}{{ $gate = true }}{{ end }}
{{- end }}
{{- if and .job.schedule $operator.enabled (not $gate) }}
{{ .path }}.schedule: the KubeRay operator makes nothing of it as it is, add {name: RayCronJob, enabled: true} to kuberay-operator.featureGates
{{- end }}
{{- if hasKey .root.Values.resolved.clusters (printf "job-%s" .job.name) }}
{{ .path }}: its pods would be taken for those of the cluster job-{{ .job.name }}, rename one of them
{{- end }}
{{- end }}
