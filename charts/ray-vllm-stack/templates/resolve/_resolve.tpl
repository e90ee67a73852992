{{/*
Turns the values into one dict, `.Values.resolved`, once for a render: entries are merged over their defaults, nulls are
gone, and what derives from several values is worked out; then the guards run. Every template file begins with it, so no
template meets values that cannot work, and none reads
`.Values.models`, `pipelines`, `jobs`, `clusters`, `accelerators`, `platforms`, `routes` or `providers`.

  models, enabled        id -> model
  standalone             id -> model, of those enabled that run without Ray
  pipelines              id -> pipeline, with its deployments
  jobs                   name -> job, with the cluster that it runs on
  adapters               name -> model id
  routes, providers      name -> route, id -> provider
  vectorStores           name -> declared vector store
  servedNames            name -> route, of the further names of models
  platforms, classes     name -> platform, name -> accelerator class
  clusters               name -> cluster, with rayService, url, models, standalone, groups, platform, image, claims, accounts
  used, classesInUse     names of the clusters that have a model on Ray or a pipeline, and of the classes of worker groups and
                         standalone models, in order

usage: include "ray-vllm-stack.resolve" $
*/}}
{{- define "ray-vllm-stack.resolve" -}}
{{- if not (hasKey .Values "resolved") }}
  {{- range list "data" "gateway" "metrics" "redis" }}{{/* labels and annotations that a later values file takes back */}}
    {{- $_ := include "ray-vllm-stack.merge.withoutNulls" (get $.Values .) | fromJson | set $.Values . }}
  {{- end }}
  {{- $platforms := include "ray-vllm-stack.merge.withoutNulls" .Values.platforms | fromJson }}
  {{- $classes := include "ray-vllm-stack.resolve.classes" (dict "root" . "platforms" $platforms) | fromJson }}
  {{- $models := include "ray-vllm-stack.resolve.models" (dict "root" . "classes" $classes) | fromJson }}
  {{- $pipelines := include "ray-vllm-stack.resolve.pipelines" . | fromJson }}
  {{- $parts := dict "root" . "models" $models "pipelines" $pipelines "platforms" $platforms "classes" $classes }}
  {{- $clusters := include "ray-vllm-stack.resolve.clusters" $parts | fromJson }}
  {{- $resolved := dict "models" $models "pipelines" $pipelines "enabled" dict "standalone" dict "platforms" $platforms "classes" $classes "clusters" $clusters }}
  {{- $used := list }}
  {{- range $id, $model := $models }}
    {{- if $model.enabled }}{{ $_ := set $resolved.enabled $id $model }}{{ end }}
    {{- if eq $model.runtime "standalone" }}
      {{- if $model.enabled }}{{ $_ := set $resolved.standalone $id $model }}{{ end }}
    {{- else if hasKey $clusters $model.cluster }}
      {{- $used = append $used $model.cluster }}
    {{- end }}
  {{- end }}
  {{- range $pipelines }}
    {{- if hasKey $clusters .cluster }}{{ $used = append $used .cluster }}{{ end }}
  {{- end }}
  {{- $_ := set $resolved "used" ($used | uniq | sortAlpha) }}
  {{- $_ := merge (dict "root" .) $resolved | include "ray-vllm-stack.resolve.jobs" | fromJson | set $resolved "jobs" }}
  {{- $_ := set $resolved "classesInUse" (include "ray-vllm-stack.resolve.classesInUse" $resolved | fromJsonArray) }}
  {{- $_ := set $resolved "adapters" (include "ray-vllm-stack.resolve.adapters" $models | fromJson) }}
  {{- $_ := set $resolved "routes" (include "ray-vllm-stack.merge.withoutNulls" .Values.routes | fromJson) }}
  {{- $_ := set $resolved "servedNames" (include "ray-vllm-stack.resolve.servedNames" $resolved.enabled | fromJson) }}
  {{- $_ := set $resolved "providers" (include "ray-vllm-stack.resolve.providers" . | fromJson) }}
  {{- $_ := set $resolved "vectorStores" (include "ray-vllm-stack.merge.withoutNulls" .Values.vectorStores | fromJson) }}
  {{- $_ := set .Values "resolved" $resolved }}
  {{- include "ray-vllm-stack.validate" . }}
{{- end }}
{{- end }}
