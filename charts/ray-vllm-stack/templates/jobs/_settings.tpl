{{/*
What serve_app is told of a job, as JSON.
usage: include "ray-vllm-stack.jobs.settings" (dict "root" $ "job" <job>) | fromJson
*/}}
{{- define "ray-vllm-stack.jobs.settings" -}}
{{- $job := .job }}
{{- $cluster := $job.cluster }}
{{- $model := mergeOverwrite (deepCopy $cluster.model) (dict "accelerator" $cluster.class "parts" (list $cluster.part)) }}
{{- $args := include "ray-vllm-stack.serving.args" (dict "root" .root "model" (omit $model "roles")) | fromYaml }}
{{- $args = omit $args "routing" }}
{{- dict
  "job_id" $job.name
  "model" $args
  "input" $job.input
  "output" $job.output
  "output_format" $job.outputFormat
  "column" $job.column
  "chat" $job.chat
  "sampling" $job.sampling
  "partition_rows" (int $job.partitionRows)
  "batch_size" (int $job.batchSize)
  "min_replicas" (int $job.workers.min)
  "max_replicas" (int $job.workers.max) | toJson }}
{{- end }}
