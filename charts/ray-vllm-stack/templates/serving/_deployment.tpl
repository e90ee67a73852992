{{/*
The override of a deployment of a model: everything that Ray Serve changes in place. It is always there and whole, because
the first `autoscaling_config` that appears later would replace the model's replicas. A data parallel group counts as its
ranks, which are replicas to Serve.
usage: include "ray-vllm-stack.serving.deployment" (dict "root" $ "model" <model> "part" <part>)
*/}}
{{- define "ray-vllm-stack.serving.deployment" -}}
{{- $replicas := .part.replicas -}}
name: {{ .part.deployment | quote }}
max_ongoing_requests: {{ int $replicas.maxOngoingRequests }}
max_surge_percent: {{ int .model.rollout.maxSurgePercent }}
graceful_shutdown_timeout_s: {{ int .model.rollout.drainSeconds }}
health_check_period_s: {{ .model.healthCheck.periodSeconds }}
health_check_timeout_s: {{ .model.healthCheck.timeoutSeconds }}
{{- if .model.engine.enable_lora }}
{{- $adapters := dict }}
{{- range $name, $adapter := .model.adapters }}
  {{- $_ := set $adapters $name $adapter.source }}
{{- end }}
user_config: {{ dict "adapters" $adapters | toJson }}
{{- end }}
autoscaling_config:
  {{- include "ray-vllm-stack.serving.autoscaling" (dict "replicas" $replicas "ranks" (int .part.ranks)) | nindent 2 }}
{{- end }}

{{/*
Serve's autoscaling of a deployment.
usage: include "ray-vllm-stack.serving.autoscaling" (dict "replicas" <replicas> "ranks" 1)
*/}}
{{- define "ray-vllm-stack.serving.autoscaling" -}}
{{- $replicas := .replicas -}}
min_replicas: {{ mul (int $replicas.min) .ranks }}
{{- if hasKey $replicas "initial" }}
initial_replicas: {{ mul (int $replicas.initial) .ranks }}
{{- end }}
max_replicas: {{ mul (int $replicas.max) .ranks }}
target_ongoing_requests: {{ $replicas.targetOngoingRequests }}
upscale_delay_s: {{ $replicas.upscaleDelaySeconds }}
downscale_delay_s: {{ $replicas.downscaleDelaySeconds }}
{{- if hasKey $replicas "downscaleToZeroDelaySeconds" }}
downscale_to_zero_delay_s: {{ $replicas.downscaleToZeroDelaySeconds }}
{{- end }}
look_back_period_s: {{ $replicas.lookBackSeconds }}
upscaling_factor: {{ $replicas.upscalingFactor }}
downscaling_factor: {{ $replicas.downscalingFactor }}
{{- if eq $replicas.policy "kv-cache" }}
policy:
  policy_function: serve_app.models.autoscaling:KvCache
  policy_kwargs: {target: {{ divf $replicas.targetKvCachePercent 100 }}}
{{- else if eq $replicas.policy "waiting-requests" }}
policy:
  policy_function: serve_app.models.autoscaling:WaitingRequests
  policy_kwargs: {target: {{ $replicas.targetWaitingRequests }}}
{{- end }}
{{- end }}
