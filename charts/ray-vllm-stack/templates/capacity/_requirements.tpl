{{/*
What instance types the nodes of an accelerator class may have, as a YAML list. The labels of Karpenter on AWS and of
EKS Auto Mode differ only in their domain, which is the node class's group.
usage: include "ray-vllm-stack.capacity.requirements" (dict "root" $ "class" <class> "pool" <settings>)
*/}}
{{- define "ray-vllm-stack.capacity.requirements" -}}
{{- $domain := .root.Values.capacity.nodeClass.group -}}
- key: kubernetes.io/arch
  operator: In
  values: [amd64]
- key: kubernetes.io/os
  operator: In
  values: [linux]
- key: karpenter.sh/capacity-type
  operator: In
  values: {{ toJson .pool.capacityTypes }}
{{- if eq .class.kind "gpu" }}
- key: {{ $domain }}/instance-gpu-name
  operator: In
  values: [{{ .class.instance.gpuName | quote }}]
- key: {{ $domain }}/instance-gpu-count
  operator: Gt
  values: [{{ sub (max (int .class.count) (int .class.instance.minGpuCount)) 1 | toString | quote }}]
{{- if gt (int .class.instance.minGpuMemoryMib) 0 }}
- key: {{ $domain }}/instance-gpu-memory
  operator: Gt
  values: [{{ sub (int .class.instance.minGpuMemoryMib) 1 | toString | quote }}]
{{- end }}
{{- else }}
- key: {{ $domain }}/instance-gpu-count
  operator: DoesNotExist
{{- end }}
{{- end }}
