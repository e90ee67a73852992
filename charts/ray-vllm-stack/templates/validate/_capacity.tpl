{{/*
Guards of the node pools and their class.
usage: include "ray-vllm-stack.validate.capacity" $
*/}}
{{- define "ray-vllm-stack.validate.capacity" -}}
{{- $classes := .Values.resolved.classes }}
{{- range $name, $_ := .Values.capacity.nodePools }}
{{- if not (hasKey $classes $name) }}
capacity.nodePools.{{ $name }}: there is no accelerator class "{{ $name }}", use one of: {{ keys $classes | sortAlpha | join ", " }}
{{- end }}
{{- end }}
{{- if .Values.capacity.enabled }}
{{ include "ray-vllm-stack.validate.capacity.nodeClass" .Values.capacity.nodeClass }}
{{- range $name := .Values.resolved.classesInUse }}
{{- $class := get $.Values.resolved.classes $name }}
{{- if and $class.resource (not $class.instance.gpuName) (not $class.nodeRequirements) }}
accelerators.{{ $name }}.instance.gpuName: is empty, name the GPU as Karpenter labels it (karpenter.k8s.aws/instance-gpu-name), or give accelerators.{{ $name }}.nodeRequirements
{{- end }}
{{ include "ray-vllm-stack.validate.capacity.room" (dict "root" $ "class" $class) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of the node class.
usage: include "ray-vllm-stack.validate.capacity.nodeClass" .Values.capacity.nodeClass
*/}}
{{- define "ray-vllm-stack.validate.capacity.nodeClass" -}}
{{- if not .create }}
{{- if not .name }}
capacity.nodeClass.name: is empty, name the node class that exists, or set capacity.nodeClass.create to true
{{- end }}
{{- else if ne .kind "EC2NodeClass" }}
capacity.nodeClass.kind: is {{ .kind }}, and the chart can make an EC2NodeClass only, set capacity.nodeClass.create to false
{{- else }}
{{- if not .role }}
capacity.nodeClass.role: is empty, name the IAM role of the nodes, or set capacity.nodeClass.create to false
{{- end }}
{{- if not .discovery }}
capacity.nodeClass.discovery: is empty, give the karpenter.sh/discovery tag of the subnets and security groups, or set capacity.nodeClass.create to false
{{- end }}
{{- end }}
{{- end }}

{{/*
Guard of the room in a node pool: its devices hold the fewest replicas of the models of its class.
usage: include "ray-vllm-stack.validate.capacity.room" (dict "root" $ "class" <class>)
*/}}
{{- define "ray-vllm-stack.validate.capacity.room" -}}
{{- $pool := include "ray-vllm-stack.capacity.nodePool" (dict "root" .root "name" .class.name) | fromJson }}
{{- $room := int $pool.maxDevices }}
{{- $needed := 0 }}
{{- range .root.Values.resolved.enabled }}
  {{- if eq .accelerator $.class.name }}
    {{- $needed = add $needed (include "ray-vllm-stack.model.fewestDevices" . | int) }}
  {{- end }}
{{- end }}
{{- if and .class.resource $room (gt $needed $room) }}
capacity.nodePools.{{ .class.name }}.maxDevices: is {{ $room }}, but the models of class {{ .class.name }} need {{ $needed }} devices for their fewest replicas, raise it
{{- end }}
{{- end }}
