{{/*
References of the serve images that pods of an accelerator class run, as a JSON array.
usage: include "ray-vllm-stack.capacity.images" (dict "root" $ "class" <class>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.capacity.images" -}}
{{- $resolved := .root.Values.resolved }}
{{- $images := list }}
{{- range $resolved.used }}
  {{- $cluster := get $resolved.clusters . }}
  {{- range $cluster.groups }}
    {{- if eq (.accelerator | default "") $.class.name }}{{ $images = append $images $cluster.imageReference }}{{ end }}
  {{- end }}
{{- end }}
{{- range $resolved.standalone }}
  {{- if eq .accelerator $.class.name }}
    {{- $cluster := include "ray-vllm-stack.standalone.cluster" (dict "root" $.root "model" .) | fromJson }}
    {{- $images = append $images $cluster.imageReference }}
  {{- end }}
{{- end }}
{{- $images | uniq | toJson }}
{{- end }}

{{/*
A pod that holds its place on a node of a class and does nothing: a placeholder, or a puller of images. It ends at once.
usage: include "ray-vllm-stack.capacity.idlePod" (dict "root" $ "class" <class> "devices" 1 "containers" <name -> image> "resources" <map>)
*/}}
{{- define "ray-vllm-stack.capacity.idlePod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 0
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" .root | nindent 2 }}
{{- include "ray-vllm-stack.imagePullSecrets" .root }}
{{- $group := dict "devices" (int .devices) "hosts" 1 }}
{{- with include "ray-vllm-stack.serving.workerNodeSelector" (dict "root" .root "class" .class "group" $group) | fromJson }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .class.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  {{- range $name, $image := .containers }}
  - name: {{ $name }}
    image: {{ $image }}
    imagePullPolicy: IfNotPresent
    command: [sleep, infinity]
    securityContext:
      {{- include "ray-vllm-stack.securityContext.container" $.root | nindent 6 }}
    resources:
      {{- include "ray-vllm-stack.serving.resources" (dict "resources" $.resources) | nindent 6 }}
  {{- end }}
{{- end }}

{{/*
Spec of the Deployment of a class's placeholders. They run the serve image, so that it is on their node too.
usage: include "ray-vllm-stack.capacity.placeholders" (dict "root" $ "class" <class> "pool" <settings>)
*/}}
{{- define "ray-vllm-stack.capacity.placeholders" -}}
{{- $component := printf "placeholder-%s" .class.name }}
{{- $images := include "ray-vllm-stack.capacity.images" . | fromJsonArray }}
{{- $group := dict "devices" (int .pool.warm.devices) "hosts" 1 }}
{{- $resources := include "ray-vllm-stack.serving.workerResources" (dict "group" $group "class" .class) | fromJson -}}
replicas: {{ int .pool.warm.pods }}
strategy: {type: Recreate}
selector:
  matchLabels:
    {{- include "ray-vllm-stack.selectorLabels" (dict "root" .root "component" $component) | nindent 4 }}
template:
  metadata:
    {{- $labels := include "ray-vllm-stack.podLabels" (dict "root" .root "component" $component) | fromYaml }}
    {{- $priority := include "ray-vllm-stack.clusterScoped.name" (dict "root" .root "component" "placeholder") }}
    {{- $pod := dict "root" .root "labels" $labels "container" "placeholder" "pods" (list (dict "priorityClassName" $priority)) }}
    {{- include "ray-vllm-stack.pod.metadata" $pod | nindent 4 }}
  spec:
    {{- $idle := dict "devices" .pool.warm.devices "containers" (dict "placeholder" (first $images)) "resources" $resources }}
    {{- $text := include "ray-vllm-stack.capacity.idlePod" (merge $idle .) }}
    {{- include "ray-vllm-stack.pod.spec" (merge (dict "text" $text) $pod) | nindent 4 }}
{{- end }}

{{/*
Spec of the DaemonSet that pulls a class's images: a container that runs keeps its image on the node. The class's devices are
left to others.
usage: include "ray-vllm-stack.capacity.prePull" (dict "root" $ "class" <class>)
*/}}
{{- define "ray-vllm-stack.capacity.prePull" -}}
{{- $component := printf "pre-pull-%s" .class.name }}
{{- $containers := dict }}
{{- range $index, $image := include "ray-vllm-stack.capacity.images" . | fromJsonArray }}
  {{- $_ := set $containers (printf "image-%d" $index) $image }}
{{- end -}}
selector:
  matchLabels:
    {{- include "ray-vllm-stack.selectorLabels" (dict "root" .root "component" $component) | nindent 4 }}
updateStrategy:
  rollingUpdate: {maxUnavailable: 100%}
template:
  metadata:
    {{- $labels := include "ray-vllm-stack.podLabels" (dict "root" .root "component" $component) | fromYaml }}
    {{- $pod := dict "root" .root "labels" $labels "container" "image-0" "pods" (list .root.Values.capacity.prePull.pod) }}
    {{- include "ray-vllm-stack.pod.metadata" $pod | nindent 4 }}
  spec:
    {{- $resources := dict "requests" (dict "cpu" "1m" "memory" "8Mi") "limits" (dict "memory" "32Mi") }}
    {{- $idle := dict "devices" 0 "containers" $containers "resources" $resources }}
    {{- $text := include "ray-vllm-stack.capacity.idlePod" (merge $idle .) }}
    {{- include "ray-vllm-stack.pod.spec" (merge (dict "text" $text) $pod) | nindent 4 }}
{{- end }}

{{/*
Names of the classes in use that have placeholders, as a JSON array.
usage: include "ray-vllm-stack.capacity.warmClasses" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.capacity.warmClasses" -}}
{{- $names := list }}
{{- range .Values.resolved.classesInUse }}
  {{- $pool := include "ray-vllm-stack.capacity.nodePool" (dict "root" $ "name" .) | fromJson }}
  {{- if $pool.warm.pods }}{{ $names = append $names . }}{{ end }}
{{- end }}
{{- toJson $names }}
{{- end }}
