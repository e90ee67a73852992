{{/*
Where the cluster keeps its state, so that it outlives the head pod; nothing where that is off.
usage: include "ray-vllm-stack.serving.faultTolerance" <context>
*/}}
{{- define "ray-vllm-stack.serving.faultTolerance" -}}
{{- $options := .cluster.faultTolerance }}
{{- if $options.enabled }}
{{- $redis := include "ray-vllm-stack.redis.name" .root }}
{{- $password := dict "name" (include "ray-vllm-stack.redis.secret" .root) "key" "password" }}
{{- if $options.address }}
{{- $password = dict "name" $options.existingSecret "key" $options.passwordKey }}
{{- end -}}
redisAddress: {{ $options.address | default (printf "redis://%s.%s.svc:6379" $redis .root.Release.Namespace) }}
{{- if $password.name }}
redisPassword:
  valueFrom:
    secretKeyRef:
      {{- toYaml $password | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}
