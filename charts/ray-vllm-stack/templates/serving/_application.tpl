{{/*
One model as a Ray Serve application. `args` are part of the application's code version: an edit of them replaces the
model's replicas. So no scaling knob is among them, and what is as by default is left out.
usage: include "ray-vllm-stack.serving.application" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.serving.application" -}}
name: {{ .model.id | quote }}
route_prefix: {{ printf "/models/%s" .model.id | quote }}
import_path: serve_app.models:build_app
args:
  {{- include "ray-vllm-stack.serving.args" . | nindent 2 }}
deployments:
  {{- range .model.parts }}
  - {{ include "ray-vllm-stack.serving.deployment" (merge (dict "part" .) $) | indent 4 | trim }}
  {{- end }}
{{- end }}

{{/*
What serve_app is told of a model.
usage: include "ray-vllm-stack.serving.args" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.serving.args" -}}
{{- $class := get .root.Values.resolved.classes .model.accelerator }}
{{- $versions := include "ray-vllm-stack.versions" .root | fromJson -}}
model_id: {{ .model.id | quote }}
source: {{ .model.source | quote }}
{{- with .model.revision }}
revision: {{ . | quote }}
{{- end }}
{{- if ne .model.task "generate" }}
task: {{ .model.task }}
{{- end }}
{{- if .model.roles }}
{{- $first := first .model.parts }}
accelerator: {{ include "ray-vllm-stack.serving.accelerator" (dict "model" .model "class" $class "part" $first) }}
roles:
  {{- range .model.parts }}
  {{ .role }}:
    {{- include "ray-vllm-stack.serving.part" (dict "model" $.model "class" $class "part" .) | nindent 4 }}
  {{- end }}
{{- else }}
{{ include "ray-vllm-stack.serving.part" (dict "model" .model "class" $class "part" (first .model.parts)) }}
{{- end }}
{{- with include "ray-vllm-stack.serving.routing" .model.routing | fromJson }}
routing: {{ toJson . }}
{{- end }}
{{- with .model.env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
versions:
  ray: {{ $versions.ray | quote }}
  vllm: {{ $versions.vllm | quote }}
{{- end }}

{{/*
What one kind of a model's replicas runs on, and how.
usage: include "ray-vllm-stack.serving.part" (dict "model" <model> "class" <class> "part" <part>)
*/}}
{{- define "ray-vllm-stack.serving.part" -}}
accelerator: {{ include "ray-vllm-stack.serving.accelerator" . }}
{{- $parallelism := dict }}
{{- range $key := list "tensor" "pipeline" "data" }}
  {{- $size := get $.part.parallelism $key | int }}
  {{- if gt $size 1 }}{{ $_ := set $parallelism $key $size }}{{ end }}
{{- end }}
{{- if .part.parallelism.expert }}{{ $_ := set $parallelism "expert" true }}{{ end }}
{{- with $parallelism }}
parallelism: {{ toJson . }}
{{- end }}
{{- with .part.engine }}
engine:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The accelerator of one kind of a model's replicas, as JSON.
usage: include "ray-vllm-stack.serving.accelerator" (dict "model" <model> "class" <class> "part" <part>)
*/}}
{{- define "ray-vllm-stack.serving.accelerator" -}}
{{- $accelerator := dict "class" .class.name }}
{{- with .class.rayResource }}
  {{- $_ := set $accelerator "resource" . }}
{{- end }}
{{- if lt (float64 .model.acceleratorShare) 1.0 }}
  {{- $_ := set $accelerator "share" .model.acceleratorShare }}
{{- end }}
{{- with .part.pods }}
  {{- $_ := set $accelerator "pods" . }}
{{- end }}
{{- toJson $accelerator }}
{{- end }}

{{/*
How a replica is chosen, as JSON; nothing where it is as by default.
usage: include "ray-vllm-stack.serving.routing" .model.routing | fromJson
*/}}
{{- define "ray-vllm-stack.serving.routing" -}}
{{- $routing := dict }}
{{- if ne .policy "least-requests" }}
  {{- $_ := set $routing "policy" .policy }}
{{- end }}
{{- if eq .policy "prefix-affinity" }}
  {{- $_ := set $routing "imbalanced_threshold" .imbalancedThreshold }}
  {{- $_ := set $routing "match_rate_threshold" .matchRateThreshold }}
{{- end }}
{{- toJson $routing }}
{{- end }}
