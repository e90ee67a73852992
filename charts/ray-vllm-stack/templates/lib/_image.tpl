{{/*
Reference of an image. A digest wins over the tag, and `global.imageRegistry` over the image's own registry.
usage: include "ray-vllm-stack.image" (dict "root" $ "image" .Values.redis.image "tag" "<tag where the values name none>")
*/}}
{{- define "ray-vllm-stack.image" -}}
{{- $registry := (.root.Values.global | default dict).imageRegistry | default .image.registry }}
{{- $name := printf "%s/%s" $registry .image.repository }}
{{- if .image.digest }}
{{- printf "%s@%s" $name .image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .tag .image.tag) }}
{{- end }}
{{- end }}

{{/*
Reference of the gateway's image.
usage: include "ray-vllm-stack.image.gateway" $
*/}}
{{- define "ray-vllm-stack.image.gateway" -}}
{{- $tag := (include "ray-vllm-stack.versions" . | fromJson).gatewayImage }}
{{- include "ray-vllm-stack.image" (dict "root" . "image" .Values.gateway.image "tag" $tag) }}
{{- end }}

{{/*
Reference of the data component's image.
usage: include "ray-vllm-stack.image.data" $
*/}}
{{- define "ray-vllm-stack.image.data" -}}
{{- $tag := (include "ray-vllm-stack.versions" . | fromJson).dataImage }}
{{- include "ray-vllm-stack.image" (dict "root" . "image" .Values.data.image "tag" $tag) }}
{{- end }}

{{/*
`imagePullSecrets` of a pod spec, or nothing: those of `imagePullSecrets` and `global.imagePullSecrets`, each a name or
an object with a name.
usage: include "ray-vllm-stack.imagePullSecrets" $
*/}}
{{- define "ray-vllm-stack.imagePullSecrets" -}}
{{- $names := list }}
{{- range concat .Values.imagePullSecrets ((.Values.global | default dict).imagePullSecrets | default list) }}
  {{- $names = append $names (kindIs "map" . | ternary (dig "name" "" (kindIs "map" . | ternary . dict)) .) }}
{{- end }}
{{- with uniq $names }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
