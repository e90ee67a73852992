{{/*
Where the gateway's replicas share their limits, for its configuration, as JSON; Ray's data are in database 0.
usage: include "ray-vllm-stack.gateway.redis" $ | fromJson
*/}}
{{- define "ray-vllm-stack.gateway.redis" -}}
{{- $own := printf "redis://%s.%s.svc:6379/1" (include "ray-vllm-stack.redis.name" .) .Release.Namespace }}
{{- with .Values.gateway.redis }}
{{- dict "url" (.url | default $own) "timeoutSeconds" .timeoutSeconds | toJson }}
{{- end }}
{{- end }}

{{/*
Where the password of that Redis is, as JSON: {"secret", "key"}, or {} where it has none.
usage: include "ray-vllm-stack.gateway.redisPassword" $ | fromJson
*/}}
{{- define "ray-vllm-stack.gateway.redisPassword" -}}
{{- $options := .Values.gateway.redis }}
{{- if include "ray-vllm-stack.gateway.useRedis" . }}
{{- dict "secret" (include "ray-vllm-stack.redis.secret" .) "key" "password" | toJson }}
{{- else if and $options.enabled $options.existingSecret }}
{{- dict "secret" $options.existingSecret "key" $options.passwordKey | toJson }}
{{- else -}}
{}
{{- end }}
{{- end }}
