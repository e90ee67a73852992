{{/*
Name of the node class.
usage: include "ray-vllm-stack.capacity.nodeClassName" $
*/}}
{{- define "ray-vllm-stack.capacity.nodeClassName" -}}
{{- $made := include "ray-vllm-stack.clusterScoped.name" (dict "root" . "component" "") }}
{{- .Values.capacity.nodeClass.name | default $made }}
{{- end }}

{{/*
Reference to the node class.
usage: include "ray-vllm-stack.capacity.nodeClassRef" $
*/}}
{{- define "ray-vllm-stack.capacity.nodeClassRef" -}}
group: {{ .Values.capacity.nodeClass.group }}
kind: {{ .Values.capacity.nodeClass.kind }}
name: {{ include "ray-vllm-stack.capacity.nodeClassName" . }}
{{- end }}

{{/*
Spec of the EC2NodeClass, before the raw `spec`. Bottlerocket keeps images and volumes on its second disk.
usage: include "ray-vllm-stack.capacity.nodeClassSpec" $
*/}}
{{- define "ray-vllm-stack.capacity.nodeClassSpec" -}}
{{- $class := .Values.capacity.nodeClass -}}
role: {{ $class.role }}
amiSelectorTerms:
  - alias: {{ $class.amiAlias }}
subnetSelectorTerms:
  - tags: {karpenter.sh/discovery: {{ $class.discovery | quote }}}
securityGroupSelectorTerms:
  - tags: {karpenter.sh/discovery: {{ $class.discovery | quote }}}
metadataOptions:
  httpTokens: required
  httpPutResponseHopLimit: 1
blockDeviceMappings:
  - deviceName: {{ ternary "/dev/xvdb" "/dev/xvda" (hasPrefix "bottlerocket" $class.amiAlias) }}
    ebs:
      volumeSize: {{ $class.volumeSize }}
      volumeType: gp3
      encrypted: true
      deleteOnTermination: true
{{- end }}
