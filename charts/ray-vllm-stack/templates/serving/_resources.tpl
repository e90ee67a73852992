{{/*
Resources of a Ray container. Quantities are text there: unlike a Pod, a RayService refuses 0.5 as a number.
usage: include "ray-vllm-stack.serving.resources" (dict "resources" .class.resources "devices" <map, if any>)
*/}}
{{- define "ray-vllm-stack.serving.resources" -}}
{{- $devices := dict }}
{{- with .devices }}
{{- $devices = dict "requests" . "limits" . }}
{{- end }}
{{- range $kind, $quantities := mergeOverwrite (deepCopy .resources) (deepCopy $devices) }}
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
Devices of a worker, as a JSON map from the resource's name to the number.
usage: include "ray-vllm-stack.serving.devices" <accelerator class> | fromJson
*/}}
{{- define "ray-vllm-stack.serving.devices" -}}
{{- if and .resource (gt (int .count) 0) -}}
{{- dict .resource (int .count) | toJson }}
{{- else -}}
{}
{{- end }}
{{- end }}
