{{/*
The kinds of replicas that a model has, as a JSON array: one, or prefill and decode. Each has its `role`, the `deployment`
in Serve, `parallelism`, `replicas` and `engine`, and where a replica fits: `devices` of a worker pod, `hosts` (the worker
pods that it spans), `pods` ("2x8", or nothing for one pod) and `ranks`, the Serve replicas that one of ours is.
usage: include "ray-vllm-stack.model.parts" (dict "model" <model> "class" <class>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.model.parts" -}}
{{- $parts := list }}
{{- $model := pick .model "parallelism" "replicas" "engine" }}
{{- $name := replace "." "_" .model.id }}
{{- if .model.roles }}
  {{- range $role := list "prefill" "decode" }}
    {{- $layers := dict "under" $model "over" (get $.model.roles $role | default dict) "free" false }}
    {{- $part := include "ray-vllm-stack.merge.layers" $layers | fromJson }}
    {{- $_ := merge $part (dict "role" $role "deployment" (printf "%s:%s" (title $role) $name)) }}
    {{- $parts = append $parts $part }}
  {{- end }}
{{- else }}
  {{- $parts = append $parts (merge (dict "role" "" "deployment" (printf "LLMServer:%s" $name)) $model) }}
{{- end }}
{{- range $parts }}
  {{- $_ := include "ray-vllm-stack.model.shape" (dict "parallelism" .parallelism "class" $.class) | fromJson | mergeOverwrite . }}
{{- end }}
{{- toJson $parts }}
{{- end }}

{{/*
The worker pods that a replica needs, as JSON. Up to the devices of a host it is one pod with the power of two that holds
them, as nodes have 1, 2, 4 or 8; above that it is several pods of whole hosts. Where pods have no devices it is one pod.
usage: include "ray-vllm-stack.model.shape" (dict "parallelism" <parallelism> "class" <class>) | fromJson
*/}}
{{- define "ray-vllm-stack.model.shape" -}}
{{- $needed := mul .parallelism.tensor .parallelism.pipeline .parallelism.data | int }}
{{- $perHost := int .class.devicesPerHost | default 1 }}
{{- $devices := 1 }}
{{- $hosts := 1 }}
{{- if .class.resource }}
  {{- range list 2 4 8 16 32 64 }}
    {{- if lt $devices $needed }}{{ $devices = . }}{{ end }}
  {{- end }}
  {{- if gt $needed $perHost }}
    {{- $perHost = int (.class.multiHost | default dict).devicesPerHost | default $perHost }}
    {{- $devices = $perHost }}
    {{- $hosts = div (add $needed (sub $perHost 1)) $perHost | int }}
  {{- end }}
{{- end }}
{{- $pods := ternary (printf "%dx%d" $hosts $devices) "" (gt $hosts 1) }}
{{- dict "needed" $needed "devices" $devices "hosts" $hosts "pods" $pods "ranks" (int .parallelism.data) | toJson }}
{{- end }}

{{/*
Whether a worker group holds a kind of replicas: "true" or nothing. Replicas over several pods have groups of their very
shape, which no other model may take a part of.
usage: if include "ray-vllm-stack.group.holds" (dict "group" <group> "part" <part> "class" "h100")
*/}}
{{- define "ray-vllm-stack.group.holds" -}}
{{- if eq .group.accelerator .class }}
  {{- if gt (int .part.hosts) 1 }}
    {{- if and (eq (int .group.hosts) (int .part.hosts)) (eq (int .group.devices) (int .part.devices)) }}true{{ end }}
  {{- else if and (eq (int .group.hosts) 1) (ge (int .group.devices) (int .part.devices)) }}true{{ end }}
{{- end }}
{{- end }}

{{/*
Devices that the fewest (`min`) or the most (`max`) replicas of a model need; pods, where the class has no devices.
usage: include "ray-vllm-stack.model.devicesOf" (dict "model" <model> "bound" "min") | int
*/}}
{{- define "ray-vllm-stack.model.devicesOf" -}}
{{- $needed := 0.0 }}
{{- range .model.parts }}
  {{- $needed = addf $needed (mulf (get .replicas $.bound | int) (int .needed) (float64 $.model.acceleratorShare)) }}
{{- end }}
{{- ceil $needed }}
{{- end }}
