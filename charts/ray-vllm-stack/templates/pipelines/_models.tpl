{{/*
Name of the model or route that embeds a pipeline's questions: its own, its store's, or that of all stores.
usage: include "ray-vllm-stack.pipeline.embed" (dict "root" $ "pipeline" <pipeline>)
*/}}
{{- define "ray-vllm-stack.pipeline.embed" -}}
{{- $store := get .root.Values.resolved.vectorStores .pipeline.store | default dict }}
{{- .pipeline.embed | default $store.embed | default .root.Values.data.embed }}
{{- end }}

{{/*
A model that a pipeline asks to find documents, as JSON. One on Ray in the same cluster has its `application`, which is asked
by handle.
usage: include "ray-vllm-stack.pipeline.asked" (dict "root" $ "pipeline" <pipeline> "model" "minilm")
*/}}
{{- define "ray-vllm-stack.pipeline.asked" -}}
{{- $asked := dict "model" .model }}
{{- $model := get .root.Values.resolved.enabled .model | default dict }}
{{- if and (eq ($model.runtime | default "") "ray") (eq ($model.cluster | default "") .pipeline.cluster) }}
  {{- $_ := set $asked "application" .model }}
{{- end }}
{{- toJson $asked }}
{{- end }}

{{/*
Accelerator class on whose workers a pipeline's parts run; nothing where its cluster has no worker group.
usage: include "ray-vllm-stack.pipeline.class" (dict "root" $ "pipeline" <pipeline>)
*/}}
{{- define "ray-vllm-stack.pipeline.class" -}}
{{- $cluster := get .root.Values.resolved.clusters .pipeline.cluster | default dict }}
{{- $classes := list }}
{{- range $cluster.groups }}
  {{- if eq (int .hosts) 1 }}{{ $classes = append $classes .accelerator }}{{ end }}
{{- end }}
{{- $embed := include "ray-vllm-stack.pipeline.embed" . }}
{{- $near := (get ($cluster.models | default dict) $embed | default dict).accelerator | default "" }}
{{- if .pipeline.accelerator }}
{{- .pipeline.accelerator }}
{{- else if and (eq .pipeline.kind "rag") (has $near $classes) }}
{{- $near }}
{{- else }}
{{- first $classes }}
{{- end }}
{{- end }}

{{/*
Whether a pipeline's first request may have to wait for the start of a part: "true" or nothing. For a model that sleeps the
pipeline itself waits.
usage: if include "ray-vllm-stack.pipeline.sleeps" <pipeline>
*/}}
{{- define "ray-vllm-stack.pipeline.sleeps" -}}
{{- $sleeps := false }}
{{- range .deployments }}{{ $sleeps = or $sleeps (eq (int .replicas.min) 0) }}{{ end }}
{{- if $sleeps }}true{{ end }}
{{- end }}
