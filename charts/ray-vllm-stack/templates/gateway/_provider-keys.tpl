{{/*
Sources of the volume with providers' keys, one file for each provider that wants a key, as a JSON array.
usage: include "ray-vllm-stack.gateway.providerKeys" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.gateway.providerKeys" -}}
{{- $sources := list }}
{{- range $id, $provider := .Values.resolved.providers }}
  {{- with ($provider.apiKey | default dict) }}
    {{- if .existingSecret }}
      {{- $item := dict "key" (.key | default "api-key") "path" $id }}
      {{- $sources = append $sources (dict "secret" (dict "name" .existingSecret "items" (list $item))) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- toJson $sources }}
{{- end }}
