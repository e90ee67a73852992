{{/*
Guards of names that clients use: adapters and providers share them with models.
usage: include "ray-vllm-stack.validate.names" $
*/}}
{{- define "ray-vllm-stack.validate.names" -}}
{{- $models := .Values.resolved.models }}
{{- $providers := .Values.resolved.providers }}
{{- $taken := dict }}
{{- range $id, $model := $models }}
{{- range include "ray-vllm-stack.model.adapters" $model | fromJsonArray }}
{{- if or (hasKey $models .) (hasKey $providers .) (hasKey $taken .) }}
models.{{ $id }}.engine.lora_modules: an adapter is called "{{ . }}", as is another model, provider or adapter, rename it
{{- end }}
{{- $_ := set $taken . $id }}
{{- end }}
{{- end }}
{{- range $id, $provider := $providers }}
{{- if hasKey $models $id }}
providers.{{ $id }}: is also the id of a model, rename one of them
{{- end }}
{{- end }}
{{- end }}
