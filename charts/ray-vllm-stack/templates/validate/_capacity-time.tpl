{{/*
Guards of pairs that would fight, of a class's pool: Karpenter takes no node that Ray's autoscaler may still want again, and
placeholders are no larger than a host.
usage: include "ray-vllm-stack.validate.capacity.pairs" (dict "root" $ "class" <class> "pool" <settings>)
*/}}
{{- define "ray-vllm-stack.validate.capacity.pairs" -}}
{{- $resolved := .root.Values.resolved }}
{{- $path := printf "capacity.nodePools.%s" .class.name }}
{{- $after := include "ray-vllm-stack.capacity.seconds" .pool.consolidateAfter | int }}
{{- range $name := $resolved.used }}
{{- $cluster := get $resolved.clusters . }}
{{- $idle := $cluster.autoscaler.idleTimeoutSeconds }}
{{- range $cluster.groups }}
{{- if and (eq (.accelerator | default "") $.class.name) (ne $.pool.consolidateAfter "Never") (lt $after (int $idle)) }}
{{ $path }}.consolidateAfter: is {{ $.pool.consolidateAfter }}, shorter than clusters.{{ $name }}.autoscaler.idleTimeoutSeconds ({{ $idle }}), so that a node goes before Ray has tried the next pod on it, make it {{ $idle }}s or more
{{- end }}
{{- end }}
{{- end }}
{{- if and .class.resource (gt (int .pool.warm.devices) (int .class.devicesPerHost)) }}
{{ $path }}.warm.devices: is {{ .pool.warm.devices }}, but a host of class {{ .class.name }} has {{ int .class.devicesPerHost }}, lower it
{{- end }}
{{- end }}

{{/*
A duration of Karpenter in seconds, such as 1h30m.
usage: include "ray-vllm-stack.capacity.seconds" "5m" | int
*/}}
{{- define "ray-vllm-stack.capacity.seconds" -}}
{{- $seconds := 0 }}
{{- range regexFindAll "[0-9]+[smh]" . -1 }}
  {{- $unit := index (dict "s" 1 "m" 60 "h" 3600) (trimAll "0123456789" .) }}
  {{- $seconds = add $seconds (mul (regexFind "[0-9]+" . | int) $unit) }}
{{- end }}
{{- $seconds }}
{{- end }}

{{/*
Guard of pulling images ahead: a class with devices selects nodes, or all nodes of the cluster would pull its images.
usage: include "ray-vllm-stack.validate.capacity.prePull" (dict "root" $ "class" <class>)
*/}}
{{- define "ray-vllm-stack.validate.capacity.prePull" -}}
{{- $selects := or .root.Values.capacity.enabled .class.nodeSelector }}
{{- if and .root.Values.capacity.prePull.enabled .class.resource (not $selects) }}
capacity.prePull.enabled: is true, but class {{ .class.name }} selects no nodes, so that all would pull its image of many GB, give accelerators.{{ .class.name }}.nodeSelector
{{- end }}
{{- end }}
