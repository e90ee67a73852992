{{/*
The API keys of the values as a JSON map by name, without nulls and those that are off; none where a Secret has them all.
usage: include "ray-vllm-stack.gateway.apiKeys" $ | fromJson
*/}}
{{- define "ray-vllm-stack.gateway.apiKeys" -}}
{{- $keys := ternary dict .Values.auth.apiKeys (ne .Values.auth.existingSecret "") }}
{{- $on := dict }}
{{- range $name, $key := include "ray-vllm-stack.merge.withoutNulls" $keys | fromJson }}
  {{- if ne (toString $key.enabled) "false" }}
    {{- $_ := set $on $name (omit $key "enabled") }}
  {{- end }}
{{- end }}
{{- toJson $on }}
{{- end }}

{{/*
Names of the keys that a Job makes, as a sorted JSON array.
usage: include "ray-vllm-stack.gateway.madeKeys" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.gateway.madeKeys" -}}
{{- $names := list }}
{{- range $name, $key := include "ray-vllm-stack.gateway.apiKeys" . | fromJson }}
  {{- if not $key.hash }}
    {{- $names = append $names $name }}
  {{- end }}
{{- end }}
{{- $names | sortAlpha | toJson }}
{{- end }}

{{/*
Where a key's text is, for `helm test` and the notes, as JSON: {"secret", "key"}, or {} where nobody but its holder has it.
usage: include "ray-vllm-stack.gateway.keyText" $ | fromJson
*/}}
{{- define "ray-vllm-stack.gateway.keyText" -}}
{{- $made := include "ray-vllm-stack.gateway.madeKeys" . | fromJsonArray }}
{{- if .Values.auth.smokeTest.existingSecret }}
{{- dict "secret" .Values.auth.smokeTest.existingSecret "key" .Values.auth.smokeTest.key | toJson }}
{{- else if $made }}
{{- dict "secret" (include "ray-vllm-stack.component.name" (dict "root" . "component" "api-keys")) "key" (first $made) | toJson }}
{{- else -}}
{}
{{- end }}
{{- end }}

{{/*
Sources of the volume with the keys' entries, as YAML: the values', with the hashes of made keys beside, or a Secret's own;
and those issued by the command line, which Helm never touches. They are there or not without the pod's template telling, so
that the first key of a kind rolls no pod.
usage: include "ray-vllm-stack.gateway.keySources" $
*/}}
{{- define "ray-vllm-stack.gateway.keySources" -}}
{{- $hashes := include "ray-vllm-stack.component.name" (dict "root" . "component" "key-hashes") -}}
- secret:
    name: {{ .Values.auth.existingSecret | default $hashes }}
{{- if not .Values.auth.existingSecret }}
- secret:
    name: {{ include "ray-vllm-stack.component.name" (dict "root" . "component" "made-key-hashes") }}
    optional: true
{{- end }}
- secret:
    name: {{ include "ray-vllm-stack.component.name" (dict "root" . "component" "issued-keys") }}
    optional: true
{{- end }}
