{{/*
A node pool's settings with `nodePoolDefaults` filled in, as JSON.
usage: include "ray-vllm-stack.capacity.nodePool" (dict "root" $ "name" "l4") | fromJson
*/}}
{{- define "ray-vllm-stack.capacity.nodePool" -}}
{{- $own := get .root.Values.capacity.nodePools .name | default dict }}
{{- include "ray-vllm-stack.merge.entry" (dict "defaults" .root.Values.capacity.nodePoolDefaults "entry" $own) }}
{{- end }}

{{/*
Name of a class's NodePool, which is also a label of its nodes: the workers of this release go to no other's.
usage: include "ray-vllm-stack.capacity.nodePoolName" (dict "root" $ "name" "l4")
*/}}
{{- define "ray-vllm-stack.capacity.nodePoolName" -}}
{{- include "ray-vllm-stack.clusterScoped.name" (dict "root" .root "component" .name) }}
{{- end }}

{{/*
Spec of the NodePool of an accelerator class, before the raw `spec`. Nodes leave when they are empty: Ray's autoscaler
decides that, so neither age nor a cheaper type takes a node from under a replica.
usage: include "ray-vllm-stack.capacity.nodePoolSpec" (dict "root" $ "class" <class> "pool" <settings>)
*/}}
{{- define "ray-vllm-stack.capacity.nodePoolSpec" -}}
weight: {{ int .pool.weight }}
{{- with include "ray-vllm-stack.capacity.limits" . }}
limits:
  {{- . | nindent 2 }}
{{- end }}
disruption:
  consolidationPolicy: WhenEmpty
  consolidateAfter: {{ .pool.consolidateAfter }}
  budgets:
    - nodes: {{ .pool.maxDisruptedNodes | int | toString | quote }}
template:
  metadata:
    labels:
      ray-vllm-stack.io/accelerator: {{ .class.name }}
      ray-vllm-stack.io/node-pool: {{ include "ray-vllm-stack.capacity.nodePoolName" (dict "root" .root "name" .class.name) }}
  spec:
    expireAfter: Never
    nodeClassRef:
      {{- include "ray-vllm-stack.capacity.nodeClassRef" .root | nindent 6 }}
    requirements:
      {{- include "ray-vllm-stack.capacity.requirements" . | nindent 6 }}
    {{- with include "ray-vllm-stack.capacity.taints" .class }}
    taints:
      {{- . | nindent 6 }}
    {{- end }}
{{- end }}

{{/*
Limits of a NodePool, or nothing.
usage: include "ray-vllm-stack.capacity.limits" (dict "class" <class> "pool" <settings>)
*/}}
{{- define "ray-vllm-stack.capacity.limits" -}}
{{- if and .class.resource .pool.maxDevices }}
{{ .class.resource }}: {{ int .pool.maxDevices }}
{{- end }}
{{- if hasKey .pool "maxCpus" }}
cpu: {{ int .pool.maxCpus }}
{{- end }}
{{- end }}

{{/*
Taints that the class's tolerations match, as a YAML list, or nothing.
usage: include "ray-vllm-stack.capacity.taints" <accelerator class>
*/}}
{{- define "ray-vllm-stack.capacity.taints" -}}
{{- range .tolerations }}
{{- if .key }}
- key: {{ .key }}
  {{- with .value }}
  value: {{ . | quote }}
  {{- end }}
  effect: {{ .effect | default "NoSchedule" }}
{{- end }}
{{- end }}
{{- end }}
