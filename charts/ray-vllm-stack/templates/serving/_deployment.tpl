{{/*
The override of a model's deployment: everything that Ray Serve changes in place. It is always there and whole, because
the first `autoscaling_config` that appears later would replace the model's replicas.
usage: include "ray-vllm-stack.serving.deployment" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.serving.deployment" -}}
{{- $replicas := .model.replicas -}}
name: {{ printf "LLMServer:%s" (replace "." "_" .model.id) | quote }}
max_ongoing_requests: {{ int $replicas.maxOngoingRequests }}
max_surge_percent: {{ int .model.rollout.maxSurgePercent }}
graceful_shutdown_timeout_s: {{ int .model.rollout.drainSeconds }}
autoscaling_config:
  min_replicas: {{ int $replicas.min }}
  max_replicas: {{ int $replicas.max }}
  target_ongoing_requests: {{ $replicas.targetOngoingRequests }}
  upscale_delay_s: {{ $replicas.upscaleDelaySeconds }}
  downscale_delay_s: {{ $replicas.downscaleDelaySeconds }}
{{- end }}
