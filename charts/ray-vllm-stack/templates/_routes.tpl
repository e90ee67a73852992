{{/*
The models behind a route, as a JSON map by id. One that a later values file set to null is gone.
usage: include "ray-vllm-stack.route.backends" .Values.routes.chat | fromJson
*/}}
{{- define "ray-vllm-stack.route.backends" -}}
{{- $backends := dict }}
{{- range $id, $backend := .backends }}
  {{- if not (kindIs "invalid" $backend) }}
    {{- $_ := set $backends $id $backend }}
  {{- end }}
{{- end }}
{{- toJson $backends }}
{{- end }}
