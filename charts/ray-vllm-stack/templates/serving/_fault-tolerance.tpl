{{/*
Where the cluster keeps its state, so that it outlives the head pod; nothing where that is off.
usage: include "ray-vllm-stack.serving.faultTolerance" <context>
*/}}
{{- define "ray-vllm-stack.serving.faultTolerance" -}}
{{- $options := .cluster.faultTolerance }}
{{- if $options.enabled }}
{{- $redis := include "ray-vllm-stack.redis.name" .root }}
{{- $secret := ternary $options.existingSecret (include "ray-vllm-stack.redis.secret" .root) (not (empty $options.address)) -}}
redisAddress: {{ $options.address | default (printf "redis://%s.%s.svc:6379" $redis .root.Release.Namespace) }}
{{- with $secret }}
redisPassword:
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ ternary $options.passwordKey "password" (not (empty $options.address)) }}
{{- end }}
{{- end }}
{{- end }}
