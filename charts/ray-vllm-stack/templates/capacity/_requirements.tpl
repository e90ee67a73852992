{{/*
What instance types the nodes of an accelerator class may have, as a YAML list.
usage: include "ray-vllm-stack.capacity.requirements" (dict "class" <class> "pool" <settings>)
*/}}
{{- define "ray-vllm-stack.capacity.requirements" -}}
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
- key: karpenter.k8s.aws/instance-gpu-name
  operator: In
  values: [{{ .class.instance.gpuName | quote }}]
- key: karpenter.k8s.aws/instance-gpu-count
  operator: Gt
  values: [{{ sub (max (int .class.count) (int .class.instance.minGpuCount)) 1 | toString | quote }}]
{{- if gt (int .class.instance.minGpuMemoryMib) 0 }}
- key: karpenter.k8s.aws/instance-gpu-memory
  operator: Gt
  values: [{{ sub (int .class.instance.minGpuMemoryMib) 1 | toString | quote }}]
{{- end }}
{{- else }}
- key: karpenter.k8s.aws/instance-gpu-count
  operator: DoesNotExist
{{- end }}
{{- end }}
