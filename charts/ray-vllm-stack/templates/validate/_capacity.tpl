{{/*
Guards of the node pools and their class.
usage: include "ray-vllm-stack.validate.capacity" $
*/}}
{{- define "ray-vllm-stack.validate.capacity" -}}
{{- $classes := .Values.resolved.classes }}
{{- $problems := list }}
{{- range $name, $_ := .Values.capacity.nodePools }}
{{- if not (hasKey $classes $name) }}
capacity.nodePools.{{ $name }}: there is no accelerator class "{{ $name }}", use one of: {{ keys $classes | sortAlpha | join ", " }}
{{- end }}
{{- end }}
{{- range .Values.resolved.classesInUse }}
{{ include "ray-vllm-stack.validate.capacity.prePull" (dict "root" $ "class" (get $classes .)) }}
{{- end }}
{{- if .Values.capacity.enabled }}
{{- range $name := .Values.resolved.classesInUse }}
{{- $class := get $.Values.resolved.classes $name }}
{{- if and $class.resource (not $class.instance.gpuName) (not $class.nodeRequirements) }}
accelerators.{{ $name }}.instance.gpuName: is empty, name the GPU as Karpenter labels it (karpenter.k8s.aws/instance-gpu-name), or give accelerators.{{ $name }}.nodeRequirements
{{- end }}
{{- $pool := include "ray-vllm-stack.capacity.nodePool" (dict "root" $ "name" $name) | fromJson }}
{{- $context := dict "root" $ "class" $class "pool" $pool }}
{{- $nodeClass := include "ray-vllm-stack.capacity.nodeClass" $context | fromJson }}
{{- $path := ternary "capacity.nodeClass" (printf "capacity.nodePools.%s.nodeClass" $name) (empty (get $.Values.capacity.nodePools $name | default dict).nodeClass) }}
{{- $problems = concat $problems (include "ray-vllm-stack.validate.capacity.nodeClass" (dict "path" $path "class" $nodeClass) | splitList "\n") }}
{{ include "ray-vllm-stack.validate.capacity.room" $context }}
{{ include "ray-vllm-stack.validate.capacity.pairs" $context }}
{{ include "ray-vllm-stack.validate.capacity.instance" (merge (dict "domain" $nodeClass.group) $context) }}
{{- end }}
{{- end }}
{{ $problems | uniq | join "\n" }}
{{ include "ray-vllm-stack.validate.capacity.quota" . }}
{{- end }}

{{/*
Guards of the node class of a class's pool.
usage: include "ray-vllm-stack.validate.capacity.nodeClass" (dict "path" "capacity.nodeClass" "class" <node class>)
*/}}
{{- define "ray-vllm-stack.validate.capacity.nodeClass" -}}
{{- $path := .path }}
{{- with .class }}
{{- if not .group }}
{{ $path }}.group: is empty, and the chart does not know that of kind {{ .kind }}, name it, such as karpenter.k8s.aws
{{- end }}
{{- if not .create }}
{{- if not .named }}
{{ $path }}.name: is empty, name the node class that exists, or set {{ $path }}.create to true
{{- end }}
{{- else if not (has .kind (list "EC2NodeClass" "NodeClass")) }}
{{ $path }}.kind: is {{ .kind }}, and the chart can make an EC2NodeClass or a NodeClass only, set {{ $path }}.create to false
{{- else }}
{{- range $key, $what := dict "role" "name the IAM role of the nodes" "discovery" "give the karpenter.sh/discovery tag of the subnets and security groups" }}
{{- if not (get $.class $key) }}
{{ $path }}.{{ $key }}: is empty, {{ $what }}, or set {{ $path }}.create to false
{{- end }}
{{- end }}
{{- if eq .kind "NodeClass" }}
{{- range $key := list "instanceStorePolicy" "placementGroup" "volumeSnapshot" }}
{{- if get $.class $key }}
{{ $path }}.{{ $key }}: is {{ get $.class $key }}, which EKS Auto Mode does not have, leave it out, or use kind EC2NodeClass
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
