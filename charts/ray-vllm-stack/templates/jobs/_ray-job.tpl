{{/*
Spec of a job's RayJob, with the job's raw `spec`. The operator hands the job to the head itself: a pod that did it would be one
more that has to fit the namespace's rules.
usage: include "ray-vllm-stack.jobs.spec" (dict "root" $ "job" <job>)
*/}}
{{- define "ray-vllm-stack.jobs.spec" -}}
{{- $text := include "ray-vllm-stack.jobs.rayJob" . }}
{{- include "ray-vllm-stack.spec.apply" (dict "text" $text "specs" .job.specs) }}
{{- end }}

{{/*
Spec of a RayJob, before the job's raw `spec`.
usage: include "ray-vllm-stack.jobs.rayJob" (dict "root" $ "job" <job>)
*/}}
{{- define "ray-vllm-stack.jobs.rayJob" -}}
{{- $context := dict "root" .root "cluster" .job.cluster -}}
entrypoint: python -m serve_app.jobs
runtimeEnvYAML: |
  {{- $variable := dict "JOB_SETTINGS" (include "ray-vllm-stack.jobs.settings" .) }}
  {{- dict "env_vars" $variable | toYaml | nindent 2 }}
submissionMode: HTTPMode
{{- if not .job.schedule }}
suspend: {{ .job.suspend }}
{{- end }}
backoffLimit: {{ int .job.retries }}
activeDeadlineSeconds: {{ int .job.deadlineSeconds }}
shutdownAfterJobFinishes: true
ttlSecondsAfterFinished: {{ int .job.keepSeconds }}
rayClusterSpec:
  rayVersion: {{ (include "ray-vllm-stack.versions" .root | fromJson).ray | quote }}
  enableInTreeAutoscaling: true
  autoscalerOptions:
    {{- include "ray-vllm-stack.serving.autoscaler" $context | nindent 4 }}
  headGroupSpec:
    {{- include "ray-vllm-stack.serving.headGroup" $context | nindent 4 }}
  workerGroupSpecs:
    - {{- include "ray-vllm-stack.serving.workerGroup" (merge (dict "group" (first .job.cluster.groups)) $context) | nindent 6 }}
{{- end }}
