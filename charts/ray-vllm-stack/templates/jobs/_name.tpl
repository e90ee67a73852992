{{/*
Name of a job's RayJob or RayCronJob. It holds a hash of the job's own settings, so that an edit of them is a new run, and
neither a release of the chart nor of an image is; KubeRay takes 47 characters, and adds a run's to a RayCronJob's.
usage: include "ray-vllm-stack.jobs.name" (dict "root" $ "job" <job>)
*/}}
{{- define "ray-vllm-stack.jobs.name" -}}
{{- $settings := include "ray-vllm-stack.jobs.settings" . | fromJson }}
{{- $_ := set $settings "model" (omit $settings.model "versions") }}
{{- $hash := toJson $settings | sha256sum | trunc 6 }}
{{- $full := include "ray-vllm-stack.fullname" .root }}
{{- $base := include "ray-vllm-stack.name.short" (dict "name" (printf "%s-%s" $full .job.name) "max" 29) }}
{{- printf "%s-%s" $base $hash }}
{{- end }}
