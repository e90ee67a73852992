{{/*
Guards of the Ray clusters.
usage: include "ray-vllm-stack.validate.clusters" $
*/}}
{{- define "ray-vllm-stack.validate.clusters" -}}
{{- range $name, $cluster := .Values.resolved.clusters }}
{{- $service := $cluster.rayService }}
{{- if gt (len $service) 47 }}
clusters.{{ $name }}: its RayService would be called {{ $service }}, and KubeRay takes 47 characters, shorten the cluster's name or set fullnameOverride
{{- end }}
{{ include "ray-vllm-stack.validate.cluster.groups" (dict "root" $ "cluster" $cluster) }}
{{ include "ray-vllm-stack.validate.cluster.faultTolerance" (dict "name" $name "options" $cluster.faultTolerance) }}
{{- if and $cluster.queue (gt (len $cluster.groups) 7) }}
clusters.{{ $name }}.queue: is {{ $cluster.queue }}, but the cluster has {{ len $cluster.groups }} worker groups and Kueue takes 7, put some models on another cluster
{{- end }}
{{ include "ray-vllm-stack.validate.cluster.upgradeStrategy" (dict "root" $ "name" $name "options" $cluster.upgradeStrategy) }}
{{- with $cluster.storage.caBundle }}
{{- if and .existingConfigMap .existingSecret }}
clusters.{{ $name }}.storage.caBundle: has an existingConfigMap and an existingSecret, leave one of them out
{{- end }}
{{- end }}
{{- with $cluster.storage.modelCache }}
{{- if and .existingClaim .sizeLimit }}
clusters.{{ $name }}.storage.modelCache.sizeLimit: is {{ .sizeLimit }}, but the claim {{ .existingClaim }} has its own size, clear one of the two
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of how a cluster is replaced: in steps only where there is a Gateway that can take them.
usage: include "ray-vllm-stack.validate.cluster.upgradeStrategy" (dict "root" $ "name" "main" "options" <upgradeStrategy>)
*/}}
{{- define "ray-vllm-stack.validate.cluster.upgradeStrategy" -}}
{{- if eq .options.type "incremental" }}
{{- $path := printf "clusters.%s.upgradeStrategy" .name }}
{{- range $field, $what := dict "gatewayClassName" "the GatewayClass of a Gateway API implementation" "url" "where that serves KubeRay's Gateway in the cluster" }}
{{- if not (get $.options.incremental $field) }}
{{ $path }}.incremental.{{ $field }}: is empty, and traffic moves in steps through a Gateway only, name {{ $what }}, or set type to new-cluster
{{- end }}
{{- end }}
{{- $operator := index .root.Values "kuberay-operator" }}
{{- $on := false }}
{{- range $operator.featureGates }}
  {{- $on = or $on (and (eq .name "RayServiceIncrementalUpgrade") .enabled) }}
{{- end }}
{{- if and $operator.enabled (not $on) }}
{{ $path }}.type: is incremental, which KubeRay does behind a feature gate, add {name: RayServiceIncrementalUpgrade, enabled: true} to kuberay-operator.featureGates
{{- end }}
{{- if and .root.Values.networkPolicy.enabled (not .options.incremental.peers) }}
{{ $path }}.incremental.peers: is empty, so that the Gateway's pods reach no model, name them, or set networkPolicy.enabled to false
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a cluster's fault tolerance.
usage: include "ray-vllm-stack.validate.cluster.faultTolerance" (dict "name" "main" "options" <faultTolerance>)
*/}}
{{- define "ray-vllm-stack.validate.cluster.faultTolerance" -}}
{{- $path := printf "clusters.%s.faultTolerance" .name }}
{{- if and .options.existingSecret (not .options.address) }}
{{ $path }}.existingSecret: is the password of the Redis at address, which is empty, set address too, or use redis.existingSecret for the embedded one
{{- end }}
{{- if and .options.address (not .options.enabled) }}
{{ $path }}.address: is set, but fault tolerance is off, set enabled to true or clear address
{{- end }}
{{- if and .options.address (not (regexMatch "^rediss?://[^:/@ ]+:[0-9]+$" .options.address)) }}
{{ $path }}.address: is "{{ .options.address }}", write it as redis://HOST:PORT or rediss://HOST:PORT, the password goes into existingSecret
{{- end }}
{{- end }}

{{/*
Guards of a cluster's worker groups, its image, and the room in the groups.
usage: include "ray-vllm-stack.validate.cluster.groups" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.validate.cluster.groups" -}}
{{- $cluster := .cluster }}
{{- $resolved := .root.Values.resolved }}
{{- $seen := list }}
{{- range $cluster.groups }}
{{- $path := printf "clusters.%s.workerGroups.%s" $cluster.name .name }}
{{- if has .name $seen }}
accelerators.{{ .name }}: its worker group in cluster {{ $cluster.name }} has the name of another class's for pods of several devices, rename the class or state clusters.{{ $cluster.name }}.workerGroups
{{- end }}
{{- $seen = append $seen .name }}
{{- $class := get $resolved.classes (.accelerator | default "") | default dict }}
{{- if and .stated (not $class) }}
{{ $path }}.accelerator: there is no accelerator class "{{ .accelerator }}", use one of: {{ keys $resolved.classes | sortAlpha | join ", " }}
{{- else if gt (int .devices) (int $class.devicesPerHost) }}
{{ $path }}.devices: is {{ int .devices }}, but a host of class {{ .accelerator }} has {{ int $class.devicesPerHost }}, lower it, or correct accelerators.{{ .accelerator }}.devicesPerHost
{{- else if and (gt (int .devices) 1) (not $class.resource) }}
{{ $path }}.devices: is {{ int .devices }}, but workers of class {{ .accelerator }} have no devices, leave it at 1
{{- end }}
{{- if gt (len .name) 50 }}
{{ $path }}: its name has {{ len .name }} characters, and KubeRay takes 50, shorten it
{{- end }}
{{- end }}
{{ include "ray-vllm-stack.validate.cluster.image" (dict "root" .root "cluster" $cluster) }}
{{- range $class := $resolved.classesInUse }}
{{ include "ray-vllm-stack.validate.cluster.room" (dict "root" $.root "cluster" $cluster "class" $class) }}
{{- end }}
{{- end }}

{{/*
Guard of the room in the worker groups of a class: they hold the fewest replicas of its models, or some stay pending.
usage: include "ray-vllm-stack.validate.cluster.room" (dict "root" $ "cluster" <cluster> "class" "l4")
*/}}
{{- define "ray-vllm-stack.validate.cluster.room" -}}
{{- $room := 0 }}
{{- $needed := 0 }}
{{- $names := list }}
{{- $class := get .root.Values.resolved.classes .class }}
{{- $perPod := ternary 1 (get $class.rayStartParams "num-cpus" | int) (not (empty $class.resource)) }}{{/* a replica takes a CPU of Ray's */}}
{{- range .cluster.groups }}
  {{- if eq .accelerator $.class }}
    {{- $room = add $room (mul (int .maxWorkers) (max 1 (int .devices) $perPod)) }}
    {{- $names = append $names .name }}
  {{- end }}
{{- end }}
{{- range .cluster.models }}
  {{- if and .enabled (eq .accelerator $.class) }}
    {{- $needed = add $needed (include "ray-vllm-stack.model.devicesOf" (dict "model" . "bound" "min") | int) }}
  {{- end }}
{{- end }}
{{- if and $names (gt $needed $room) }}
clusters.{{ .cluster.name }}: its models of class {{ .class }} need {{ $needed }} devices for their fewest replicas, and the worker groups {{ join ", " $names }} hold {{ $room }}, raise maxWorkers (accelerators.{{ .class }}.maxWorkers)
{{- end }}
{{- end }}
