{{/*
Guards of the Ray clusters.
usage: include "ray-vllm-stack.validate.clusters" $
*/}}
{{- define "ray-vllm-stack.validate.clusters" -}}
{{- range $name, $_ := .Values.clusters }}
{{- $service := include "ray-vllm-stack.cluster.name" (dict "root" $ "name" $name) }}
{{- if gt (len $service) 47 }}
clusters.{{ $name }}: its RayService would be called {{ $service }}, and KubeRay takes 47 characters, shorten the cluster's name or set fullnameOverride
{{- end }}
{{- $cluster := include "ray-vllm-stack.cluster.resolved" (dict "root" $ "name" $name) | fromJson }}
{{ include "ray-vllm-stack.validate.cluster.faultTolerance" (dict "name" $name "options" $cluster.faultTolerance) }}
{{- end }}
{{- end }}

{{/*
Guards of a cluster's fault tolerance.
usage: include "ray-vllm-stack.validate.cluster.faultTolerance" (dict "name" "main" "options" <faultTolerance>)
*/}}
{{- define "ray-vllm-stack.validate.cluster.faultTolerance" -}}
{{- $path := printf "clusters.%s.faultTolerance" .name }}
{{- if and .options.existingSecret (not .options.address) }}
{{ $path }}.existingSecret: is the password of the Redis at address, which is empty, set address too, or use redis.existingSecret for the embedded one
{{- end }}
{{- if and .options.address (not .options.enabled) }}
{{ $path }}.address: is set, but fault tolerance is off, set enabled to true or clear address
{{- end }}
{{- if and .options.address (not (regexMatch "^rediss?://[^:/@ ]+:[0-9]+$" .options.address)) }}
{{ $path }}.address: is "{{ .options.address }}", write it as redis://HOST:PORT or rediss://HOST:PORT, the password goes into existingSecret
{{- end }}
{{- end }}
