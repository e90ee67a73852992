{{/*
Warnings about nodes.
usage: include "ray-vllm-stack.notes.warnings.capacity" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.capacity" -}}
{{- if not .Values.capacity.enabled }}
{{- $devices := list }}
{{- range .Values.resolved.classesInUse }}
  {{- $class := get $.Values.resolved.classes . }}
  {{- if and $class.resource (not $class.nodeSelector) }}
    {{- $devices = append $devices . }}
  {{- end }}
{{- end }}
{{- with $devices }}
capacity.enabled is false and no nodeSelector is set for: {{ join ", " . }}. Their workers run on any node with free devices, whichever those are.
{{- end }}
{{- else }}
{{ include "ray-vllm-stack.notes.warnings.spot" . }}
{{- end }}
{{- end }}

{{/*
Warnings about spot nodes.
usage: include "ray-vllm-stack.notes.warnings.spot" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.spot" -}}
{{- $spot := list }}
{{- range .Values.resolved.classesInUse }}
  {{- $pool := include "ray-vllm-stack.capacity.nodePool" (dict "root" $ "name" .) | fromJson }}
  {{- $class := get $.Values.resolved.classes . }}
  {{- if ne $pool.spot "never" }}{{ $spot = append $spot . }}{{ end }}
  {{- if and (ne $pool.spot "never") (gt (int $class.drainSeconds) 90) }}
accelerators.{{ . }}.drainSeconds is {{ int $class.drainSeconds }}, but a spot node has 120 seconds from its notice: Ray would plan with time that is not there. Set it to 90, and rollout.drainSeconds of its models to 60.
  {{- end }}
{{- end }}
{{- if $spot }}
Spot nodes are used for: {{ join ", " $spot }}. Karpenter hears of interruptions through its own setting `interruptionQueue` only; without it answers are cut.
{{- if not .Values.capacity.systemOnDemand }}
capacity.systemOnDemand is false: heads, the gateway, Redis and the data component may run on spot nodes.
{{- end }}
{{- end }}
{{- end }}
