{{/*
Rendered YAML with a raw `spec` of the values merged over it, as YAML.
usage: include "ray-vllm-stack.spec.apply" (dict "text" <YAML> "spec" .Values.gateway.spec)
*/}}
{{- define "ray-vllm-stack.spec.apply" -}}
{{- $base := fromYaml .text }}
{{- if hasKey $base "Error" }}
{{- fail (printf "the chart rendered bad YAML, please report it: %s\n%s" $base.Error .text) }}
{{- end }}
{{- include "ray-vllm-stack.spec.merge" (dict "base" $base "over" (.spec | default dict)) | fromJson | toYaml }}
{{- end }}

{{/*
Merges one map over another, as JSON: maps by key, lists of named objects (containers, env, volumes) by name and
volumeMounts by path, as kubectl does; other lists and values are replaced, and null removes a key.
usage: include "ray-vllm-stack.spec.merge" (dict "base" <map> "over" <map>) | fromJson
*/}}
{{- define "ray-vllm-stack.spec.merge" -}}
{{- $out := deepCopy .base }}
{{- range $key, $over := .over }}
  {{- $base := get $out $key }}
  {{- if kindIs "invalid" $over }}
    {{- $_ := unset $out $key }}
  {{- else if and (kindIs "map" $over) (kindIs "map" $base) }}
    {{- $_ := include "ray-vllm-stack.spec.merge" (dict "base" $base "over" $over) | fromJson | set $out $key }}
  {{- else if and (kindIs "slice" $over) (kindIs "slice" $base) }}
    {{- $by := ternary "mountPath" "name" (eq $key "volumeMounts") }}
    {{- $list := include "ray-vllm-stack.spec.mergeList" (dict "base" $base "over" $over "by" $by) | fromJsonArray }}
    {{- $_ := set $out $key $list }}
  {{- else }}
    {{- $_ := set $out $key $over }}
  {{- end }}
{{- end }}
{{- toJson $out }}
{{- end }}

{{/*
Merges one list over another by a key of their elements, as JSON; replaces it where an element has no such key.
usage: include "ray-vllm-stack.spec.mergeList" (dict "base" <list> "over" <list> "by" "name") | fromJsonArray
*/}}
{{- define "ray-vllm-stack.spec.mergeList" -}}
{{- $by := .by }}
{{- $named := true }}
{{- $over := dict }}
{{- range concat .base .over }}
  {{- $named = and $named (kindIs "map" .) (hasKey (ternary . dict (kindIs "map" .)) $by) }}
{{- end }}
{{- if $named }}
  {{- $out := list }}
  {{- range .over }}{{- $_ := set $over (get . $by) . }}{{- end }}
  {{- range .base }}
    {{- $with := get $over (get . $by) | default dict }}
    {{- $out = append $out (include "ray-vllm-stack.spec.merge" (dict "base" . "over" $with) | fromJson) }}
    {{- $_ := unset $over (get . $by) }}
  {{- end }}
  {{- range .over }}
    {{- if hasKey $over (get . $by) }}{{- $out = append $out . }}{{- end }}
  {{- end }}
  {{- toJson $out }}
{{- else }}
  {{- toJson .over }}
{{- end }}
{{- end }}
