{{/*
The node class of a class's pool, as JSON: `capacity.nodeClass`, and over it what the pool says otherwise, which makes it
one of the pool's own. With `name`, `group`, and `specs`, the raw specs.
usage: include "ray-vllm-stack.capacity.nodeClass" (dict "root" $ "pool" <settings, or an empty map>) | fromJson
*/}}
{{- define "ray-vllm-stack.capacity.nodeClass" -}}
{{- $base := .root.Values.capacity.nodeClass }}
{{- $own := omit (.pool.nodeClass | default dict) "specs" }}
{{- $specs := list $base.spec }}
{{- range (.pool.nodeClass | default dict).specs }}
  {{- if . }}{{ $specs = append $specs . }}{{ end }}
{{- end }}
{{- $isOwn := or $own (gt (len $specs) 1) }}
{{- $layers := dict "under" (omit $base "spec") "over" $own "free" false }}
{{- $class := include "ray-vllm-stack.merge.layers" $layers | fromJson }}
{{- $component := ternary .pool.name "" (not (empty $isOwn)) }}
{{- $made := include "ray-vllm-stack.clusterScoped.name" (dict "root" .root "component" $component) }}
{{- $name := ternary $own.name $class.name (and (not (empty $isOwn)) $class.create) }}
{{- $groups := dict "EC2NodeClass" "karpenter.k8s.aws" "NodeClass" "eks.amazonaws.com" "AKSNodeClass" "karpenter.azure.com" }}
{{- $group := $class.group | default (get $groups $class.kind) }}
{{- mergeOverwrite $class (dict "name" ($name | default $made) "named" ($name | default "") "group" $group "specs" $specs) | toJson }}
{{- end }}

{{/*
The node classes that the chart makes, by name, as JSON: the common one, where a pool in use has none of its own, and those.
usage: include "ray-vllm-stack.capacity.nodeClasses" $ | fromJson
*/}}
{{- define "ray-vllm-stack.capacity.nodeClasses" -}}
{{- $made := dict }}
{{- range .Values.resolved.classesInUse }}
  {{- $pool := include "ray-vllm-stack.capacity.nodePool" (dict "root" $ "name" .) | fromJson }}
  {{- $class := include "ray-vllm-stack.capacity.nodeClass" (dict "root" $ "pool" $pool) | fromJson }}
  {{- if $class.create }}{{ $_ := set $made $class.name $class }}{{ end }}
{{- end }}
{{- toJson $made }}
{{- end }}

{{/*
Spec of an EC2NodeClass, before the raw `spec`. Bottlerocket keeps images and volumes on its second disk. Network interfaces
for EFA are Karpenter's business: it adds them where a pod asks for vpc.amazonaws.com/efa.
usage: include "ray-vllm-stack.capacity.nodeClassSpec.EC2NodeClass" <node class>
*/}}
{{- define "ray-vllm-stack.capacity.nodeClassSpec.EC2NodeClass" -}}
role: {{ .role }}
amiSelectorTerms:
  - alias: {{ .amiAlias }}
{{ include "ray-vllm-stack.capacity.nodeClassTerms" . }}
metadataOptions:
  httpTokens: required
  httpPutResponseHopLimit: 1
{{- with .instanceStorePolicy }}
instanceStorePolicy: {{ . }}
{{- end }}
{{- with .placementGroup }}
placementGroupSelector: {name: {{ . | quote }}}
{{- end }}
blockDeviceMappings:
  - deviceName: {{ ternary "/dev/xvdb" "/dev/xvda" (hasPrefix "bottlerocket" .amiAlias) }}
    ebs:
      volumeSize: {{ .volumeSize }}
      volumeType: gp3
      {{- with .volumeThroughput }}
      throughput: {{ int . }}
      iops: {{ max 3000 (mul 4 (int .)) }} # gp3 gives 0.25 MiB/s for each
      {{- end }}
      {{- with .volumeSnapshot }}
      snapshotID: {{ . }}
      {{- end }}
      encrypted: true
      deleteOnTermination: true
{{- end }}

{{/*
Spec of a NodeClass of EKS Auto Mode, before the raw `spec`. Its image, metadata options and NVMe disks are EKS's business.
usage: include "ray-vllm-stack.capacity.nodeClassSpec.NodeClass" <node class>
*/}}
{{- define "ray-vllm-stack.capacity.nodeClassSpec.NodeClass" -}}
role: {{ .role }}
{{ include "ray-vllm-stack.capacity.nodeClassTerms" . }}
ephemeralStorage:
  size: {{ .volumeSize }}
  {{- with .volumeThroughput }}
  throughput: {{ int . }}
  iops: {{ max 3000 (mul 4 (int .)) }} # gp3 gives 0.25 MiB/s for each
  {{- end }}
{{- end }}

{{/*
What both kinds of node classes select: subnets, security groups, capacity reservations.
usage: include "ray-vllm-stack.capacity.nodeClassTerms" <node class>
*/}}
{{- define "ray-vllm-stack.capacity.nodeClassTerms" -}}
subnetSelectorTerms:
  - tags: {karpenter.sh/discovery: {{ .discovery | quote }}}
securityGroupSelectorTerms:
  - tags: {karpenter.sh/discovery: {{ .discovery | quote }}}
{{- with .capacityReservations }}
capacityReservationSelectorTerms:
  {{- range . }}
  - id: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
