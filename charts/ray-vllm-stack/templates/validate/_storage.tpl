{{/*
Guards of the storage.
usage: include "ray-vllm-stack.validate.storage" $
*/}}
{{- define "ray-vllm-stack.validate.storage" -}}
{{- with .Values.storage.modelCache }}
{{- if and .existingClaim .sizeLimit }}
storage.modelCache.sizeLimit: is {{ .sizeLimit }}, but the claim {{ .existingClaim }} has its own size, clear one of the two
{{- end }}
{{- end }}
{{- end }}
