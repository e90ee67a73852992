{{/*
An entry of a map of the values over the defaults of its kind, as JSON. A null gives the default back; in maps of the
user's own keys (labels, env, engine, ...) it removes the key. Raw `spec` maps are not merged here: those of the defaults
and of the entry become a list, `specs`, for `ray-vllm-stack.spec.apply`.
usage: include "ray-vllm-stack.merge.entry" (dict "defaults" .Values.modelDefaults "entry" <map> "more" <map>) | fromJson
*/}}
{{- define "ray-vllm-stack.merge.entry" -}}
{{- $layers := dict "under" .defaults "over" (.entry | default dict) "free" false }}
{{- $merged := include "ray-vllm-stack.merge.layers" $layers | fromJson }}
{{- mergeOverwrite $merged (.more | default dict) | toJson }}
{{- end }}

{{/*
One map over another, for `ray-vllm-stack.merge.entry`.
usage: include "ray-vllm-stack.merge.layers" (dict "under" <map> "over" <map> "free" <own keys?>) | fromJson
*/}}
{{- define "ray-vllm-stack.merge.layers" -}}
{{- $own := list "adapters" "annotations" "budgets" "engine" "env" "fields" "labels" "limits" "nodeSelector" "parts" "rayStartParams" "requests" "roles" "startupTaints" }}
{{- $out := dict }}
{{- range $key := concat (keys .under) (keys .over) | uniq }}
  {{- $under := get $.under $key }}
  {{- $over := get $.over $key }}
  {{- if not (hasKey $.over $key) }}
    {{- $over = $under }}
  {{- else if and (kindIs "invalid" $over) (hasKey $.under $key) (not $.free) }}
    {{- $over = $under }}
  {{- end }}
  {{- if has $key (list "pod" "spec") }}
    {{- $_ := set $out (printf "%ss" $key) (list (get $.under $key | default dict) (get $.over $key | default dict)) }}
  {{- else if kindIs "map" $over }}
    {{- $under = ternary $under dict (kindIs "map" $under) }}
    {{- $layers := dict "under" $under "over" $over "free" (or $.free (has $key $own)) }}
    {{- $_ := include "ray-vllm-stack.merge.layers" $layers | fromJson | set $out $key }}
  {{- else if not (kindIs "invalid" $over) }}
    {{- $_ := set $out $key $over }}
  {{- end }}
{{- end }}
{{- toJson $out }}
{{- end }}

{{/*
A map without its null entries at any depth, as JSON; but where a null removes what the chart has: in raw Kubernetes, in pods
and in alerts.
usage: include "ray-vllm-stack.merge.withoutNulls" <map> | fromJson
*/}}
{{- define "ray-vllm-stack.merge.withoutNulls" -}}
{{- $kept := dict }}
{{- range $key, $value := . }}
  {{- if and (kindIs "map" $value) (not (has $key (list "alerts" "pod" "spec"))) }}
    {{- $_ := include "ray-vllm-stack.merge.withoutNulls" $value | fromJson | set $kept $key }}
  {{- else if not (kindIs "invalid" $value) }}
    {{- $_ := set $kept $key $value }}
  {{- end }}
{{- end }}
{{- toJson $kept }}
{{- end }}
