{{/*
Guards of the node pools and their class.
usage: include "ray-vllm-stack.validate.capacity" $
*/}}
{{- define "ray-vllm-stack.validate.capacity" -}}
{{- $classes := .Values.accelerators }}
{{- range $name, $_ := .Values.capacity.nodePools }}
{{- if not (hasKey $classes $name) }}
capacity.nodePools.{{ $name }}: there is no accelerator class "{{ $name }}", use one of: {{ keys $classes | sortAlpha | join ", " }}
{{- end }}
{{- end }}
{{- if .Values.capacity.enabled }}
{{ include "ray-vllm-stack.validate.capacity.nodeClass" .Values.capacity.nodeClass }}
{{- range $name := include "ray-vllm-stack.accelerators.used" . | fromJsonArray }}
{{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" $ "name" $name) | fromJson }}
{{- if and (eq $class.kind "gpu") (not $class.instance.gpuName) }}
accelerators.{{ $name }}.instance.gpuName: is empty, name the GPU as Karpenter labels it (karpenter.k8s.aws/instance-gpu-name), or set capacity.enabled to false
{{- end }}
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
