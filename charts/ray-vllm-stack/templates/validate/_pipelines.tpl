{{/*
Guards of the pipelines.
usage: include "ray-vllm-stack.validate.pipelines" $
*/}}
{{- define "ray-vllm-stack.validate.pipelines" -}}
{{- range $id, $pipeline := .Values.resolved.pipelines }}
{{- $context := dict "root" $ "id" $id "pipeline" $pipeline "path" (printf "pipelines.%s" $id) }}
{{ include "ray-vllm-stack.validate.pipeline.name" $context }}
{{ include "ray-vllm-stack.validate.pipeline.place" $context }}
{{ include "ray-vllm-stack.validate.pipeline.parts" $context }}
{{ include "ray-vllm-stack.validate.pipeline.kind" $context }}
{{- if eq $pipeline.kind "rag" }}
{{ include "ray-vllm-stack.validate.pipeline.rag" $context }}
{{ include "ray-vllm-stack.validate.pipeline.prompt" $context }}
{{ include "ray-vllm-stack.validate.pipeline.models" $context }}
{{ include "ray-vllm-stack.validate.pipeline.generate" $context }}
{{- else if eq $pipeline.kind "agent" }}
{{ include "ray-vllm-stack.validate.agent" $context }}
{{- else if not $pipeline.importPath }}
pipelines.{{ $id }}.importPath: is empty, name the graph as module:name
{{- end }}
{{- end }}
{{- end }}

{{/*
Guard of a pipeline's name, which clients use as a model's.
usage: include "ray-vllm-stack.validate.pipeline.name" (dict "root" $ "id" "docs" "path" "pipelines.docs")
*/}}
{{- define "ray-vllm-stack.validate.pipeline.name" -}}
{{- range $kind := list "models" "adapters" "servedNames" "providers" "routes" }}
{{- if hasKey (get $.root.Values.resolved $kind) $.id }}
{{ $.path }}: is also a name of {{ ternary "models" $kind (has $kind (list "adapters" "servedNames")) }}, rename one of them
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of what a pipeline's kind knows nothing of.
usage: include "ray-vllm-stack.validate.pipeline.kind" (dict "pipeline" <pipeline> "path" "pipelines.docs")
*/}}
{{- define "ray-vllm-stack.validate.pipeline.kind" -}}
{{- $custom := list "importPath" "source" "args" "apis" }}
{{- $agent := list "instructions" "classify" "branches" }}
{{- $rag := list "store" "embed" "rerank" "filters" }}
{{- $strange := dict
  "rag" (dict "custom" $custom "agent" $agent)
  "custom" (dict "rag" $rag "agent" $agent)
  "agent" (dict "rag" $rag "custom" $custom) }}
{{- range $kind, $keys := get $strange .pipeline.kind }}
{{- range $key := $keys }}
{{- if get $.pipeline $key }}
{{ $.path }}.{{ $key }}: is for kind {{ $kind }}, but kind is {{ $.pipeline.kind }}, leave it out
{{- end }}
{{- end }}
{{- end }}
{{- if ne .pipeline.kind "agent" }}
{{- range $key, $tools := .pipeline.tools }}
{{- if $tools }}
{{ $.path }}.tools.{{ $key }}: is for kind agent, but kind is {{ $.pipeline.kind }}, leave it out
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of where a pipeline runs.
usage: include "ray-vllm-stack.validate.pipeline.place" (dict "root" $ "id" "docs" "pipeline" <pipeline> "path" "pipelines.docs")
*/}}
{{- define "ray-vllm-stack.validate.pipeline.place" -}}
{{- $clusters := .root.Values.resolved.clusters }}
{{- $classes := list }}
{{- range (get $clusters .pipeline.cluster | default dict).groups }}
  {{- if eq (int .hosts) 1 }}{{ $classes = append $classes .accelerator }}{{ end }}
{{- end }}
{{- if not (hasKey $clusters .pipeline.cluster) }}
{{ .path }}.cluster: there is no cluster "{{ .pipeline.cluster }}", use one of: {{ keys $clusters | sortAlpha | join ", " }}
{{- else if not $classes }}
{{ .path }}.cluster: {{ .pipeline.cluster }} has no worker that its parts could run on, state clusters.{{ .pipeline.cluster }}.workerGroups, such as {cpu: {accelerator: cpu}}
{{- else if and .pipeline.accelerator (not (has .pipeline.accelerator $classes)) }}
{{ .path }}.accelerator: cluster {{ .pipeline.cluster }} has no worker group of class "{{ .pipeline.accelerator }}", use one of: {{ $classes | uniq | sortAlpha | join ", " }}
{{- end }}
{{- end }}

{{/*
Guards of a pipeline's parts.
usage: include "ray-vllm-stack.validate.pipeline.parts" (dict "pipeline" <pipeline> "path" "pipelines.docs")
*/}}
{{- define "ray-vllm-stack.validate.pipeline.parts" -}}
{{- $names := list }}
{{- range .pipeline.deployments }}
{{- $names = append $names .name }}
{{- if gt (int .replicas.min) (int .replicas.max) }}
{{ $.path }}.parts.{{ .name }}.replicas.min: is {{ int .replicas.min }} and max is {{ int .replicas.max }}, lower min or raise max
{{- end }}
{{- if gt (float64 .replicas.targetOngoingRequests) (float64 .replicas.maxOngoingRequests) }}
{{ $.path }}.parts.{{ .name }}.replicas.targetOngoingRequests: is {{ .replicas.targetOngoingRequests }} and maxOngoingRequests is {{ int .replicas.maxOngoingRequests }}, so that load would never add a replica, lower it or raise maxOngoingRequests
{{- end }}
{{- end }}
{{- range $name, $_ := .pipeline.parts }}
{{- if not (has $name $names) }}
{{ $.path }}.parts.{{ $name }}: a pipeline of kind {{ $.pipeline.kind }} has no such part, use one of: {{ join ", " $names }}
{{- end }}
{{- end }}
{{- if and .pipeline.source (hasKey .pipeline.env "PYTHONPATH") }}
{{ .path }}.env.PYTHONPATH: is set by source, leave it out
{{- end }}
{{- end }}
