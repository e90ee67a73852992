{{/*
Reference of an image; a digest wins over the tag.
usage: include "ray-vllm-stack.image" (dict "image" .Values.gateway.image "tag" "<tag where the values name none>")
*/}}
{{- define "ray-vllm-stack.image" -}}
{{- $name := printf "%s/%s" .image.registry .image.repository }}
{{- if .image.digest }}
{{- printf "%s@%s" $name .image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .tag .image.tag) }}
{{- end }}
{{- end }}

{{/*
`imagePullSecrets` of a pod spec, or nothing.
usage: include "ray-vllm-stack.imagePullSecrets" $
*/}}
{{- define "ray-vllm-stack.imagePullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
