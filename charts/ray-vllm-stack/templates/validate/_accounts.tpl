{{/*
Guards of the ServiceAccounts: each has a name, and none is made twice.
usage: include "ray-vllm-stack.validate.accounts" $
*/}}
{{- define "ray-vllm-stack.validate.accounts" -}}
{{- $taken := dict }}
{{- range include "ray-vllm-stack.security.accounts" . | fromJsonArray }}
{{- if and (not .values.create) (not .values.name) }}
{{ .path }}.name: is empty, and create is false, name the ServiceAccount that exists or set create to true
{{- else if .values.create }}
{{- if hasKey $taken .name }}
{{ .path }}.name: is {{ .name }}, which {{ get $taken .name }} makes already, name another or set {{ .path }}.create to false
{{- end }}
{{- $_ := set $taken .name .path }}
{{- end }}
{{- end }}
{{- end }}
