{{/*
The pipelines by id, as JSON: entries over `pipelineDefaults`, with their `deployments`, the parts whose replicas the chart
sets. `args`, `filters`, `tools` and `branches` are the entry's own, whole: their keys are not the chart's.
usage: include "ray-vllm-stack.resolve.pipelines" $ | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.pipelines" -}}
{{- $pipelines := dict }}
{{- range $id, $entry := .Values.pipelines }}
  {{- if kindIs "map" $entry }}
    {{- $layers := dict "defaults" $.Values.pipelineDefaults "entry" $entry "more" (dict "id" $id) }}
    {{- $pipeline := include "ray-vllm-stack.merge.entry" $layers | fromJson }}
    {{- range $key := list "args" "filters" "tools" "branches" }}
      {{- $own := get $entry $key | default (get $.Values.pipelineDefaults $key) }}
      {{- if has $key (list "tools" "branches") }}
        {{- $own = include "ray-vllm-stack.merge.withoutNulls" $own | fromJson }}
      {{- end }}
      {{- $_ := set $pipeline $key $own }}
    {{- end }}
    {{- $_ := include "ray-vllm-stack.pipeline.deployments" $pipeline | fromJsonArray | set $pipeline "deployments" }}
    {{- $_ := set $pipelines $id $pipeline }}
  {{- end }}
{{- end }}
{{- toJson $pipelines }}
{{- end }}

{{/*
The parts of a pipeline whose replicas the chart sets, as a JSON array: all of a kind of ours, those that are named of a
custom graph. Each has its `name`, `replicas` and `resources`.
usage: include "ray-vllm-stack.pipeline.deployments" <pipeline> | fromJsonArray
*/}}
{{- define "ray-vllm-stack.pipeline.deployments" -}}
{{- $names := list "Ingress" "Retriever" }}
{{- if eq .kind "custom" }}
  {{- $names = keys .parts | sortAlpha }}
{{- else if eq .kind "agent" }}
  {{- $names = ternary (list "Ingress" "Conversations") (list "Ingress") (gt (int .conversations.max) 0) }}
{{- end }}
{{- $deployments := list }}
{{- range $name := $names }}
  {{- $layers := dict "under" (pick $ "replicas" "resources") "over" (get $.parts $name | default dict) "free" false }}
  {{- $part := include "ray-vllm-stack.merge.layers" $layers | fromJson }}
  {{- if and (eq $.kind "agent") (eq $name "Conversations") }}
    {{- $_ := set $part "replicas" (merge (dict "min" 1 "max" 1) $part.replicas) }}{{/* its memory is what is kept */}}
  {{- end }}
  {{- $deployments = append $deployments (set $part "name" $name) }}
{{- end }}
{{- toJson $deployments }}
{{- end }}

{{/*
Adds a cluster's pipelines to it, and the claims that they import from; changes the cluster.
usage: include "ray-vllm-stack.resolve.clusterPipelines" (dict "cluster" <cluster> "pipelines" <pipelines>)
*/}}
{{- define "ray-vllm-stack.resolve.clusterPipelines" -}}
{{- $pipelines := dict }}
{{- range $id, $pipeline := .pipelines }}
  {{- if eq $pipeline.cluster $.cluster.name }}
    {{- $_ := set $pipelines $id $pipeline }}
    {{- with $pipeline.source }}
      {{- $claim := trimPrefix "pvc://" . | splitList "/" | first }}
      {{- $_ := append $.cluster.claims $claim | uniq | sortAlpha | set $.cluster "claims" }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $_ := set .cluster "pipelines" $pipelines }}
{{- end }}
