{{/*
An entry of a map of the values over what its kind has by default, as JSON. A null, with which a later values file takes
back what an earlier one set, goes; only in a raw `spec` it stays and removes what the chart rendered.
usage: include "ray-vllm-stack.merge.entry" (dict "defaults" .Values.modelDefaults "entry" <map> "more" <map>)
*/}}
{{- define "ray-vllm-stack.merge.entry" -}}
{{- $merged := mergeOverwrite (deepCopy .defaults) (deepCopy (.entry | default dict)) (.more | default dict) }}
{{- include "ray-vllm-stack.merge.withoutNulls" $merged }}
{{- end }}

{{/*
A map without its null entries at any depth, as JSON.
usage: include "ray-vllm-stack.merge.withoutNulls" <map> | fromJson
*/}}
{{- define "ray-vllm-stack.merge.withoutNulls" -}}
{{- $kept := dict }}
{{- range $key, $value := . }}
  {{- if and (kindIs "map" $value) (ne $key "spec") }}
    {{- $_ := include "ray-vllm-stack.merge.withoutNulls" $value | fromJson | set $kept $key }}
  {{- else if not (kindIs "invalid" $value) }}
    {{- $_ := set $kept $key $value }}
  {{- end }}
{{- end }}
{{- toJson $kept }}
{{- end }}
