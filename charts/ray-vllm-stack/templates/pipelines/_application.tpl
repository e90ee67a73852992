{{/*
One pipeline as a Ray Serve application, with its raw `spec` merged last.
usage: include "ray-vllm-stack.pipelines.application" (dict "root" $ "pipeline" <pipeline>)
*/}}
{{- define "ray-vllm-stack.pipelines.application" -}}
{{- $text := include "ray-vllm-stack.pipelines.entry" . }}
{{- include "ray-vllm-stack.spec.apply" (dict "text" $text "specs" .pipeline.specs) }}
{{- end }}

{{/*
The application before its raw `spec`. As for models, `args` and `runtime_env` are a part of its code version: an edit of them
replaces the pipeline's replicas, and one under `deployments` those of a part or none.
usage: include "ray-vllm-stack.pipelines.entry" (dict "root" $ "pipeline" <pipeline>)
*/}}
{{- define "ray-vllm-stack.pipelines.entry" -}}
name: {{ .pipeline.id | quote }}
route_prefix: {{ printf "/pipelines/%s" .pipeline.id | quote }}
{{- if eq .pipeline.kind "custom" }}
import_path: {{ .pipeline.importPath }}
{{- with .pipeline.args }}
args: {{ toJson . }}
{{- end }}
{{- else }}
import_path: serve_app.pipelines:build_app
args: {{ include (ternary "ray-vllm-stack.pipelines.agentArgs" "ray-vllm-stack.pipelines.args" (eq .pipeline.kind "agent")) . }}
{{- end }}
{{- $env := deepCopy .pipeline.env }}
{{- with .pipeline.source }}
  {{- $_ := set $env "PYTHONPATH" (printf "/mnt/models/%s" (trimPrefix "pvc://" . | trimSuffix "/")) }}
{{- end }}
{{- with $env }}
runtime_env: {{ dict "env_vars" . | toJson }}
{{- end }}
{{- if .pipeline.deployments }}
deployments:
  {{- $class := include "ray-vllm-stack.pipeline.class" . }}
  {{- range .pipeline.deployments }}
  - {{ include "ray-vllm-stack.pipelines.deployment" (dict "pipeline" $.pipeline "part" . "class" $class) | indent 4 | trim }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
The override of a part: whole, as that of a model's deployment. A share of the class's resource ties it to workers of the class.
usage: include "ray-vllm-stack.pipelines.deployment" (dict "pipeline" <pipeline> "part" <part> "class" "cpu")
*/}}
{{- define "ray-vllm-stack.pipelines.deployment" -}}
{{- $replicas := .part.replicas -}}
{{- $options := dict "num_cpus" .part.resources.cpu "resources" (dict (printf "accelerator-class-%s" .class) 0.001) }}
{{- with .part.resources.memory }}
  {{- $_ := include "ray-vllm-stack.quantity.value" . | float64 | int64 | set $options "memory" }}
{{- end }}
name: {{ .part.name | quote }}
max_ongoing_requests: {{ int $replicas.maxOngoingRequests }}
max_surge_percent: {{ int .pipeline.rollout.maxSurgePercent }}
graceful_shutdown_timeout_s: {{ int .pipeline.rollout.drainSeconds }}
ray_actor_options: {{ toJson $options }}
autoscaling_config:
  min_replicas: {{ int $replicas.min }}
  max_replicas: {{ int $replicas.max }}
  target_ongoing_requests: {{ $replicas.targetOngoingRequests }}
  upscale_delay_s: {{ $replicas.upscaleDelaySeconds }}
  downscale_delay_s: {{ $replicas.downscaleDelaySeconds }}
{{- end }}
