{{/*
Guards of names that clients use: models, their further names and adapters, providers and routes share them.
usage: include "ray-vllm-stack.validate.names" $
*/}}
{{- define "ray-vllm-stack.validate.names" -}}
{{- $models := .Values.resolved.models }}
{{- $providers := .Values.resolved.providers }}
{{- $taken := dict }}
{{- range $id, $model := $models }}
{{- range $name, $_ := $model.adapters }}
{{- if or (hasKey $models $name) (hasKey $providers $name) (hasKey $taken $name) }}
models.{{ $id }}.adapters.{{ $name }}: is also the name of another model, provider or adapter, rename it
{{- end }}
{{- $_ := set $taken $name (printf "models.%s.adapters" $id) }}
{{- end }}
{{- end }}
{{- range $id, $provider := $providers }}
{{- if hasKey $models $id }}
providers.{{ $id }}: is also the id of a model, rename one of them
{{- end }}
{{- end }}
{{ include "ray-vllm-stack.validate.servedNames" (dict "resolved" .Values.resolved "taken" $taken) }}
{{- end }}

{{/*
Guard of the further names of models: each is nothing else's.
usage: include "ray-vllm-stack.validate.servedNames" (dict "resolved" <resolved> "taken" <name -> where it stands>)
*/}}
{{- define "ray-vllm-stack.validate.servedNames" -}}
{{- $taken := .taken }}
{{- range $kind := list "models" "providers" "routes" }}
{{- range $name, $_ := get $.resolved $kind }}
{{- $_ := set $taken $name (printf "%s.%s" $kind $name) }}
{{- end }}
{{- end }}
{{- range $id, $model := .resolved.models }}
{{- range $model.servedNames }}
{{- with get $taken . }}
models.{{ $id }}.servedNames: has a name that {{ . }} has already, take it out of one of them
{{- end }}
{{- $_ := set $taken . (printf "models.%s.servedNames" $id) }}
{{- end }}
{{- end }}
{{- end }}
