{{/*
Guards of the gateway's pods: how many there are, and what shares their limits.
usage: include "ray-vllm-stack.validate.gateway.pods" .Values.gateway
*/}}
{{- define "ray-vllm-stack.validate.gateway.pods" -}}
{{- with .autoscaling }}
{{- if .enabled }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
gateway.autoscaling.minReplicas: is {{ int .minReplicas }} and maxReplicas is {{ int .maxReplicas }}, lower minReplicas or raise maxReplicas
{{- end }}
{{- if not (or .targetCPUUtilizationPercentage .targetConcurrentRequests) }}
gateway.autoscaling: has nothing to aim at, set targetCPUUtilizationPercentage or targetConcurrentRequests
{{- end }}
{{- if and .targetCPUUtilizationPercentage (not (dig "requests" "cpu" "" $.resources)) }}
gateway.autoscaling.targetCPUUtilizationPercentage: is a part of gateway.resources.requests.cpu, which is not set, set it or use targetConcurrentRequests
{{- end }}
{{- end }}
{{- end }}
{{- with .redis }}
{{- if and .existingSecret (not .url) }}
gateway.redis.existingSecret: is the password of the Redis at url, which is empty, set url too, or use redis.existingSecret for the embedded one
{{- end }}
{{- if and .url (not .enabled) }}
gateway.redis.url: is set, but the limits are not shared, set gateway.redis.enabled to true or clear url
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of how the gateway is reached from outside.
usage: include "ray-vllm-stack.validate.gateway.exposure" .Values.gateway
*/}}
{{- define "ray-vllm-stack.validate.gateway.exposure" -}}
{{- if and .service.nodePort (eq .service.type "ClusterIP") }}
gateway.service.nodePort: is {{ int .service.nodePort }}, but a Service of type ClusterIP has none, set gateway.service.type to NodePort or LoadBalancer
{{- end }}
{{- if and .httpRoute.enabled (not .httpRoute.parentRefs) }}
gateway.httpRoute.parentRefs: is empty, so that no Gateway would take the route, name one
{{- end }}
{{- end }}

{{/*
Guard of a gateway pod's memory: its limit has room for the bodies that it may hold, or it would be killed with all streams.
usage: include "ray-vllm-stack.validate.gateway.memory" .Values.gateway
*/}}
{{- define "ray-vllm-stack.validate.gateway.memory" -}}
{{- $limit := get ((.resources | default dict).limits | default dict) "memory" }}
{{- $needed := include "ray-vllm-stack.gateway.memory" .limits.maxBufferedBytes | float64 }}
{{- if and $limit (lt (include "ray-vllm-stack.quantity.value" $limit | float64) $needed) }}
gateway.resources.limits.memory: is {{ $limit }}, but with limits.maxBufferedBytes at {{ int64 .limits.maxBufferedBytes }} a pod may need {{ divf $needed 1048576 | ceil | int64 }}Mi, raise it or lower maxBufferedBytes
{{- end }}
{{- end }}
