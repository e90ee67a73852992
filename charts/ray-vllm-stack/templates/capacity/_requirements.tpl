{{/*
What instance types the nodes of an accelerator class may have, as a YAML list. The labels of Karpenter on AWS and of
EKS Auto Mode differ only in their domain, which is the node class's group.
usage: include "ray-vllm-stack.capacity.requirements" (dict "class" <class> "pool" <settings> "one" <of pools> "domain" <group>)
*/}}
{{- define "ray-vllm-stack.capacity.requirements" -}}
{{- $domain := .domain -}}
- key: kubernetes.io/arch
  operator: In
  values: [{{ .class.architecture }}]
- key: kubernetes.io/os
  operator: In
  values: [linux]
- key: karpenter.sh/capacity-type
  operator: In
  values: {{ toJson .one.capacityTypes }}
{{- with .pool.zones }}
- key: topology.kubernetes.io/zone
  operator: In
  values: {{ toJson . }}
{{- end }}
{{- range $key, $values := .class.nodeRequirements }}
- key: {{ replace "karpenter.k8s.aws/" (printf "%s/" $domain) $key }}
  operator: In
  values: {{ toJson $values }}
{{- end }}
{{- if .class.resource }}
{{- with .class.instance.gpuName }}
- key: {{ $domain }}/instance-gpu-name
  operator: In
  values: [{{ . | quote }}]
- key: {{ $domain }}/instance-gpu-count
  operator: Gt
  values: [{{ sub (max 1 (int $.class.instance.minGpuCount)) 1 | toString | quote }}]
{{- end }}
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
