{{/*
A node pool's settings with `nodePoolDefaults` filled in, as JSON, with the name of its accelerator class.
usage: include "ray-vllm-stack.capacity.nodePool" (dict "root" $ "name" "l4") | fromJson
*/}}
{{- define "ray-vllm-stack.capacity.nodePool" -}}
{{- $own := get .root.Values.capacity.nodePools .name | default dict }}
{{- $more := dict "name" .name }}
{{- include "ray-vllm-stack.merge.entry" (dict "defaults" .root.Values.capacity.nodePoolDefaults "entry" $own "more" $more) }}
{{- end }}

{{/*
Name of a class's NodePool, which is also a label of its nodes: the workers of this release go to no other's.
usage: include "ray-vllm-stack.capacity.nodePoolName" (dict "root" $ "name" "l4")
*/}}
{{- define "ray-vllm-stack.capacity.nodePoolName" -}}
{{- include "ray-vllm-stack.clusterScoped.name" (dict "root" .root "component" .name) }}
{{- end }}

{{/*
The NodePools of a class, as a JSON array of {"name", "weight", "capacityTypes", "spot"}. What is reserved is paid for and
comes first.

Where spot is preferred there are two, over one worker group: Karpenter tries the heavier one, and takes the other as soon as
the cloud says that there is no spot. Two worker groups, with priorities in Ray's autoscaler, would not do: KubeRay 1.6 has
no `priority` for a group, and Ray takes another group only when the pods of the first have been pending for five minutes.
usage: include "ray-vllm-stack.capacity.pools" (dict "root" $ "pool" <settings>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.capacity.pools" -}}
{{- $nodeClass := include "ray-vllm-stack.capacity.nodeClass" . | fromJson }}
{{- $reserved := ternary (list "reserved") list (or .pool.reserved (not (empty $nodeClass.capacityReservations))) }}
{{- $pools := list }}
{{- if ne .pool.spot "never" }}
  {{- $only := eq .pool.spot "only" }}
  {{- $component := ternary .pool.name (printf "%s.spot" .pool.name) $only }}
  {{- $name := include "ray-vllm-stack.clusterScoped.name" (dict "root" .root "component" $component) }}
  {{- $weight := add (int .pool.weight) (ternary 0 1 $only) }}
  {{- $pools = append $pools (dict "name" $name "weight" $weight "capacityTypes" (append $reserved "spot") "spot" true) }}
  {{- $reserved = list }}
{{- end }}
{{- if ne .pool.spot "only" }}
  {{- $name := include "ray-vllm-stack.capacity.nodePoolName" (dict "root" .root "name" .pool.name) }}
  {{- $types := append $reserved "on-demand" }}
  {{- $pools = append $pools (dict "name" $name "weight" (int .pool.weight) "capacityTypes" $types "spot" false) }}
{{- end }}
{{- toJson $pools }}
{{- end }}

{{/*
Spec of a NodePool of an accelerator class, before the raw `spec`. Ray's autoscaler decides when a node is empty, and nothing
takes it earlier: not its age (expiry does not wait for pods to be gone), not a cheaper type, not drift.

Karpenter evicts no pod with `do-not-disrupt`, not even from a spot node that the cloud takes back, unless the node has a
termination grace period; then it deletes them in time, and they drain. Such a node would also drift under its pods, so that
spot nodes do not drift at all: they leave when they are empty.
usage: include "ray-vllm-stack.capacity.nodePoolSpec" (dict "root" $ "class" <class> "pool" <settings> "one" <of pools>)
*/}}
{{- define "ray-vllm-stack.capacity.nodePoolSpec" -}}
weight: {{ int .one.weight }}
{{- with include "ray-vllm-stack.capacity.limits" . }}
limits:
  {{- . | nindent 2 }}
{{- end }}
disruption:
  consolidationPolicy: WhenEmpty
  consolidateAfter: {{ .pool.consolidateAfter }}
  budgets:
    {{- include "ray-vllm-stack.capacity.budgets" . | nindent 4 }}
template:
  metadata:
    labels:
      ray-vllm-stack.io/accelerator: {{ .class.name }}
      ray-vllm-stack.io/node-pool: {{ include "ray-vllm-stack.capacity.nodePoolName" (dict "root" .root "name" .class.name) }}
  spec:
    expireAfter: Never
    {{- if .one.spot }}
    terminationGracePeriod: 110s # of the 120 s that EC2 gives
    {{- end }}
    {{- $nodeClass := include "ray-vllm-stack.capacity.nodeClass" . | fromJson }}
    nodeClassRef:
      {{- pick $nodeClass "group" "kind" "name" | toYaml | nindent 6 }}
    requirements:
      {{- include "ray-vllm-stack.capacity.requirements" (merge (dict "domain" $nodeClass.group) .) | nindent 6 }}
    {{- with include "ray-vllm-stack.capacity.taints" .class }}
    taints:
      {{- . | nindent 6 }}
    {{- end }}
    {{- with .pool.startupTaints }}
    startupTaints:
      {{- range $key, $effect := . }}
      - {key: {{ $key | quote }}, effect: {{ $effect }}}
      {{- end }}
    {{- end }}
{{- end }}

{{/*
Disruption budgets of a NodePool, as a YAML list; of those that hold for a reason the smallest counts.
usage: include "ray-vllm-stack.capacity.budgets" (dict "pool" <settings> "one" <of pools>)
*/}}
{{- define "ray-vllm-stack.capacity.budgets" -}}
{{- range $name, $budget := .pool.budgets }}
- {{ $budget | toJson }}
{{- end }}
{{- if .one.spot }}
- {nodes: "0", reasons: [Drifted]}
{{- else if not .pool.budgets }}
[]
{{- end }}
{{- end }}

{{/*
Limits of a NodePool, or nothing.
usage: include "ray-vllm-stack.capacity.limits" (dict "root" $ "class" <class> "pool" <settings>)
*/}}
{{- define "ray-vllm-stack.capacity.limits" -}}
{{- $devices := include "ray-vllm-stack.capacity.maxDevices" . | int }}
{{- if and .class.resource $devices }}
{{ .class.resource }}: {{ $devices }}
{{- end }}
{{- if hasKey .pool "maxCpus" }}
cpu: {{ int .pool.maxCpus }}
{{- end }}
{{- end }}

{{/*
Maximum of devices of a class's pool; 0: none. Where every worker group of the class states `maxWorkers`, it is what they and
standalone models may have at most.
usage: include "ray-vllm-stack.capacity.maxDevices" (dict "root" $ "class" <class> "pool" <settings>) | int
*/}}
{{- define "ray-vllm-stack.capacity.maxDevices" -}}
{{- if hasKey .pool "maxDevices" }}
{{- int .pool.maxDevices }}
{{- else }}
{{- $resolved := .root.Values.resolved }}
{{- $most := 0 }}
{{- $stated := true }}
{{- range $resolved.used }}
  {{- range (get $resolved.clusters .).groups }}
    {{- if eq (.accelerator | default "") $.class.name }}
      {{- $most = add $most (mul (int .maxWorkers) (int .devices)) }}
      {{- $stated = and $stated .statesMax }}
    {{- end }}
  {{- end }}
{{- end }}
{{- range $resolved.standalone }}
  {{- if eq .accelerator $.class.name }}
    {{- $most = add $most (mul (int .replicas.max) (include "ray-vllm-stack.standalone.devices" . | int)) }}
  {{- end }}
{{- end }}
{{- ternary $most 16 (and (eq $stated true) (gt (int $most) 0)) }}
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
