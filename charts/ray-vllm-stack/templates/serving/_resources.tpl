{{/*
Resources of a Ray container. Quantities are text there: unlike a Pod, a RayService refuses 0.5 as a number.
usage: include "ray-vllm-stack.serving.resources" (dict "resources" .cluster.head.resources)
*/}}
{{- define "ray-vllm-stack.serving.resources" -}}
{{- range $kind, $quantities := .resources }}
{{- if eq $kind "claims" }}
claims:
  {{- toYaml $quantities | nindent 2 }}
{{- else if $quantities }}
{{ $kind }}:
  {{- range $name, $quantity := $quantities }}
  {{ $name }}: {{ $quantity | toString | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Resources of a worker pod, as JSON: the class's `perDevice` times the group's devices, the devices themselves, the
class's own `resources` over both, and what pods of several hosts have beside. Memory has the limit that is requested, so
that a worker is never evicted for it.
usage: include "ray-vllm-stack.serving.workerResources" (dict "group" <group> "class" <class>) | fromJson
*/}}
{{- define "ray-vllm-stack.serving.workerResources" -}}
{{- $requests := dict }}
{{- $limits := dict }}
{{- range $name, $quantity := .class.perDevice }}
  {{- $total := include "ray-vllm-stack.quantity.times" (dict "quantity" $quantity "times" (int $.group.devices)) }}
  {{- $_ := set $requests $name $total }}
  {{- if ne $name "cpu" }}{{ $_ := set $limits $name $total }}{{ end }}
{{- end }}
{{- with .class.resource }}
  {{- $_ := set $requests . (int $.group.devices) }}
  {{- $_ := set $limits . (int $.group.devices) }}
{{- end }}
{{- $several := ternary .class.multiHost.resources dict (gt (int .group.hosts) 1) }}
{{- mergeOverwrite (dict "requests" $requests "limits" $limits) (deepCopy .class.resources) (deepCopy $several) | toJson }}
{{- end }}
