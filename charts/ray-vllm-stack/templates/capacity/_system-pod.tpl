{{/*
What pods have that the others depend on (heads, the gateway, Redis, the data component): their priority, and with
`capacity.systemOnDemand` no spot node. `NotIn` holds for nodes without the label too, so that other clouds' do not matter.
usage: with include "ray-vllm-stack.capacity.systemPod" $
*/}}
{{- define "ray-vllm-stack.capacity.systemPod" -}}
{{- include "ray-vllm-stack.capacity.priority" (dict "root" . "kind" "system") }}
{{- if .Values.capacity.systemOnDemand }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - {key: karpenter.sh/capacity-type, operator: NotIn, values: [spot]}
            - {key: eks.amazonaws.com/capacityType, operator: NotIn, values: [SPOT]}
            - {key: cloud.google.com/gke-spot, operator: NotIn, values: ["true"]}
            - {key: kubernetes.azure.com/scalesetpriority, operator: NotIn, values: [spot]}
{{- end }}
{{- end }}

{{/*
A pod's priority class, or nothing.
usage: include "ray-vllm-stack.capacity.priority" (dict "root" $ "kind" "workers")
*/}}
{{- define "ray-vllm-stack.capacity.priority" -}}
{{- if .root.Values.priorityClasses.enabled }}
priorityClassName: {{ include "ray-vllm-stack.clusterScoped.name" (dict "root" .root "component" .kind) }}
{{- end }}
{{- end }}

{{/*
Spread over zones and nodes, as far as there are any, of the pods of a component.
usage: include "ray-vllm-stack.capacity.spread" (dict "root" $ "component" "gateway")
*/}}
{{- define "ray-vllm-stack.capacity.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "ray-vllm-stack.selectorLabels" (dict "root" $.root "component" $.component) | nindent 8 }}
  {{- end }}
{{- end }}
