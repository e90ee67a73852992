{{/*
A pod spec of the chart with what the values add to it, as YAML: `podDefaults`, then the component's own `pod`.
usage: include "ray-vllm-stack.pod.spec" (dict "root" $ "text" <YAML> "container" "gateway" "pods" (list .Values.gateway.pod))
*/}}
{{- define "ray-vllm-stack.pod.spec" -}}
{{- $pod := include "ray-vllm-stack.pod.merged" . | fromJson }}
{{- $container := dict "name" .container }}
{{- with $pod.env }}
  {{- $_ := include "ray-vllm-stack.env.list" . | fromYamlArray | set $container "env" }}
{{- end }}
{{- $overlay := dict "containers" (list $container) }}
{{- range list "nodeSelector" "priorityClassName" "tolerations" "topologySpreadConstraints" }}
  {{- $value := get $pod . }}
  {{- if $value }}{{ $_ := set $overlay . $value }}{{ end }}
{{- end }}
{{- include "ray-vllm-stack.spec.apply" (dict "text" .text "specs" (prepend $pod.specs $overlay)) }}
{{- end }}

{{/*
Metadata of a pod template: the chart's own labels win over those of the values, and the values' annotations over ours.
usage: include "ray-vllm-stack.pod.metadata" (dict "root" $ "labels" <map> "annotations" <map> "pods" (list .Values.gateway.pod))
*/}}
{{- define "ray-vllm-stack.pod.metadata" -}}
{{- $pod := include "ray-vllm-stack.pod.merged" . | fromJson -}}
labels:
  {{- mergeOverwrite dict ($pod.labels | default dict) .labels | toYaml | nindent 2 }}
{{- with mergeOverwrite (deepCopy (.annotations | default dict)) ($pod.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The `pod` maps of the values one over the other, as JSON. What is raw Kubernetes in them is the list `specs`, where a null
removes what the chart rendered.
usage: include "ray-vllm-stack.pod.merged" (dict "root" $ "container" "gateway" "pods" (list .Values.gateway.pod)) | fromJson
*/}}
{{- define "ray-vllm-stack.pod.merged" -}}
{{- $merged := dict }}
{{- $specs := list }}
{{- range prepend .pods .root.Values.podDefaults }}
  {{- $layer := . | default dict }}
  {{- $container := dict "name" $.container "securityContext" ($layer.containerSecurityContext | default dict) }}
  {{- $raw := dict "containers" (list $container) }}
  {{- range $key := list "affinity" "securityContext" }}
    {{- with get $layer $key }}{{ $_ := set $raw $key . }}{{ end }}
  {{- end }}
  {{- $specs = append $specs $raw }}
  {{- $specs = append $specs ($layer.spec | default dict) }}
  {{- $typed := omit $layer "affinity" "containerSecurityContext" "securityContext" "spec" }}
  {{- $layers := dict "under" $merged "over" $typed "free" false }}
  {{- $merged = include "ray-vllm-stack.merge.layers" $layers | fromJson }}
{{- end }}
{{- set $merged "specs" $specs | toJson }}
{{- end }}

{{/*
An `env` map of the values as a YAML list: a value is text, or a map with `valueFrom` (or `value`), as in a container.
usage: include "ray-vllm-stack.env.list" (dict "A" "1" "B" (dict "valueFrom" …)) | fromYamlArray
*/}}
{{- define "ray-vllm-stack.env.list" -}}
{{- range $name, $value := . }}
{{- if kindIs "map" $value }}
- {{ mergeOverwrite (dict "name" $name) $value | toJson }}
{{- else if not (kindIs "invalid" $value) }}
- {{ dict "name" $name "value" (toString $value) | toJson }}
{{- end }}
{{- end }}
{{- end }}
