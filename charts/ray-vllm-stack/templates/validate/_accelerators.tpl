{{/*
Guards of the platforms and the accelerator classes.
usage: include "ray-vllm-stack.validate.accelerators" $
*/}}
{{- define "ray-vllm-stack.validate.accelerators" -}}
{{- $platforms := .Values.resolved.platforms }}
{{- range $name, $platform := $platforms }}
{{- if and $platform.resource (not $platform.rayResource) }}
platforms.{{ $name }}.rayResource: is empty, so that Ray would not know of its devices, give Ray's name for them, such as GPU
{{- end }}
{{- end }}
{{- range $name, $class := .Values.resolved.classes }}
{{- $path := printf "accelerators.%s" $name }}
{{- if not (hasKey $platforms $class.platform) }}
{{ $path }}.platform: there is no platform "{{ $class.platform }}", use one of: {{ keys $platforms | sortAlpha | join ", " }}
{{- else if and (ne $class.platform "cpu") (not $class.resource) }}
{{ $path }}.resource: is empty, and so is that of platform {{ $class.platform }}, name the device resource, such as nvidia.com/gpu
{{- else if and (eq $class.platform "cpu") $class.resource }}
{{ $path }}.resource: is {{ $class.resource }}, but the class is of platform cpu, set it to "", or use another platform
{{- end }}
{{ include "ray-vllm-stack.validate.accelerator.hosts" (dict "path" $path "class" $class) }}
{{ include "ray-vllm-stack.validate.accelerator.topologies" (dict "path" $path "class" $class) }}
{{ include "ray-vllm-stack.validate.accelerator.startParams" (dict "path" $path "class" $class) }}
{{- end }}
{{- range $cluster := .Values.resolved.clusters }}
{{- range $group := $cluster.groups }}
{{- with get $.Values.resolved.classes ($group.accelerator | default "") }}
{{ include "ray-vllm-stack.validate.accelerator.group" (dict "cluster" $cluster "group" $group "class" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of the devices of a host. A process of CUDA sees one MIG slice, and NCCL takes two slices of one GPU for one device
twice, so that a pod with several has no use for them.
usage: include "ray-vllm-stack.validate.accelerator.hosts" (dict "path" "accelerators.a" "class" <class>)
*/}}
{{- define "ray-vllm-stack.validate.accelerator.hosts" -}}
{{- $devices := int .class.devicesPerHost }}
{{- if and (gt $devices 1) (regexMatch "/mig-|[.]shared$" .class.resource) }}
{{ .path }}.devicesPerHost: is {{ $devices }}, but slices of a GPU do not work together and a pod takes one {{ .class.resource }}, set it to 1
{{- end }}
{{- if gt (int .class.multiHost.devicesPerHost) $devices }}
{{ .path }}.multiHost.devicesPerHost: is {{ int .class.multiHost.devicesPerHost }}, more than devicesPerHost ({{ $devices }}), lower it
{{- end }}
{{- end }}

{{/*
Guard of the TPU topologies: each has the devices that it stands for.
usage: include "ray-vllm-stack.validate.accelerator.topologies" (dict "path" "accelerators.a" "class" <class>)
*/}}
{{- define "ray-vllm-stack.validate.accelerator.topologies" -}}
{{- range $devices, $topology := .class.topologies }}
{{- $product := 1 }}
{{- range splitList "x" $topology }}{{ $product = mul $product (int .) }}{{ end }}
{{- if ne (int $product) (int $devices) }}
{{ $.path }}.topologies.{{ $devices }}: is {{ $topology }}, which has {{ $product }} devices, correct one of the two
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a class's parameters of `ray start`.
usage: include "ray-vllm-stack.validate.accelerator.startParams" (dict "path" "accelerators.a" "class" <class>)
*/}}
{{- define "ray-vllm-stack.validate.accelerator.startParams" -}}
{{- if hasKey .class.rayStartParams "labels" }}
{{ .path }}.rayStartParams.labels: is refused by KubeRay, leave it out
{{- end }}
{{- with get .class.rayStartParams "resources" }}
{{- if hasKey (trimAll "'\"" . | replace "\\" "" | fromJson) "Error" }}
{{ $.path }}.rayStartParams.resources: is {{ . }}, write it as JSON in single quotes, such as '{"disk": 1}'
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a worker group's shape: what a host of several has, and a TPU topology for its devices.
usage: include "ray-vllm-stack.validate.accelerator.group" (dict "cluster" <cluster> "group" <group> "class" <class>)
*/}}
{{- define "ray-vllm-stack.validate.accelerator.group" -}}
{{- $path := printf "clusters.%s.workerGroups.%s.devices" .cluster.name .group.name }}
{{- $devices := int .group.devices }}
{{- $most := int .class.multiHost.devicesPerHost }}
{{- $total := mul $devices .group.hosts | toString }}
{{- if and $most (gt (int .group.hosts) 1) (gt $devices $most) }}
{{ $path }}: is {{ $devices }}, but each of several hosts of class {{ .class.name }} has {{ $most }}, lower it and raise hosts
{{- else if and .class.topologies (not (hasKey .class.topologies $total)) }}
{{- $sorted := list }}
{{- range keys .class.topologies }}{{ $sorted = append $sorted (printf "%05d" (int .)) }}{{ end }}
{{- $numbers := list }}
{{- range sortAlpha $sorted }}{{ $numbers = append $numbers (atoi . | toString) }}{{ end }}
{{ $path }}: makes {{ $total }} with its hosts, but class {{ .class.name }} has topologies of {{ join ", " $numbers }} devices, use another parallelism, or add one to accelerators.{{ .class.name }}.topologies
{{- end }}
{{- end }}
