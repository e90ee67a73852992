{{/*
Guards of a model that runs without Ray: what only Ray gives, and what its one pod has to hold.
usage: include "ray-vllm-stack.validate.model.standalone" (dict "root" $ "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.standalone" -}}
{{- if eq .model.runtime "standalone" }}
{{ include "ray-vllm-stack.validate.model.standalone.ofRay" . }}
{{ include "ray-vllm-stack.validate.model.standalone.engine" . }}
{{ include "ray-vllm-stack.validate.model.standalone.autoscaling" . }}
{{- if and .model.accelerator (hasKey .root.Values.resolved.clusters .model.cluster) }}
{{- with get .root.Values.resolved.classes .model.accelerator }}
{{ include "ray-vllm-stack.validate.model.standalone.pod" (merge (dict "class" .) $) }}
{{- end }}
{{- end }}
{{- with .root.Values }}
{{- if and .networkPolicy.enabled .metrics.podMonitor.enabled (not .networkPolicy.monitoring) }}
networkPolicy.monitoring: is empty, which lets every pod scrape, but model {{ $.id }} (runtime standalone) has its metrics and its API on one port, name the pods of your monitoring
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of what only a model on Ray can have.
usage: include "ray-vllm-stack.validate.model.standalone.ofRay" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.standalone.ofRay" -}}
{{- $path := printf "models.%s" .id }}
{{- $or := "or set runtime to ray" }}
{{- range $kind := list "pipeline" "data" }}
{{- if gt (get $.model.parallelism $kind | int) 1 }}
{{ $path }}.parallelism.{{ $kind }}: is {{ get $.model.parallelism $kind | int }}, but runtime is standalone, where a replica is one pod with tensor parallelism, leave it at 1, {{ $or }}
{{- end }}
{{- end }}
{{- with .model.roles }}
{{ $path }}.roles: has {{ keys . | sortAlpha | join " and " }}, but runtime is standalone, where each replica does all of a request's work, leave it out, {{ $or }}
{{- end }}
{{- if ne .model.routing.policy "least-requests" }}
{{ $path }}.routing.policy: is {{ .model.routing.policy }}, but runtime is standalone, where kube-proxy chooses the replica, leave it at least-requests, {{ $or }}
{{- end }}
{{- if ne .model.replicas.policy "ongoing-requests" }}
{{ $path }}.replicas.policy: is {{ .model.replicas.policy }}, but runtime is standalone, whose autoscaler reads standalone.autoscaling.metric, leave it at ongoing-requests, {{ $or }}
{{- end }}
{{- if lt (float64 .model.acceleratorShare) 1.0 }}
{{ $path }}.acceleratorShare: is {{ .model.acceleratorShare }}, but runtime is standalone, where Kubernetes gives whole devices, name time slices or a MIG profile in accelerators.{{ .model.accelerator }}.resource, {{ $or }}
{{- end }}
{{- with .model.adapters }}
{{ $path }}.adapters: has {{ keys . | sortAlpha | join ", " }}, but runtime is standalone, where nobody tells a running vLLM of them, leave them out, {{ $or }}
{{- end }}
{{- if regexMatch "^(s3|gs|azure|abfss)://" .model.source }}
{{ $path }}.source: is "{{ .model.source }}", but runtime is standalone, where vLLM loads from hf://, pvc:// and paths of the image, use one of them, {{ $or }}
{{- end }}
{{- end }}

{{/*
Guard of engine arguments that vLLM's server has no option for.
usage: include "ray-vllm-stack.validate.model.standalone.engine" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.standalone.engine" -}}
{{- range $name := list "enable_mm_processor_stats" "mamba_config" }}
{{- if hasKey $.model.engine $name }}
models.{{ $.id }}.engine.{{ $name }}: is no option of vLLM's server, which runtime standalone starts, leave it out, or set runtime to ray
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of what adds and removes a standalone model's replicas.
usage: include "ray-vllm-stack.validate.model.standalone.autoscaling" (dict "root" $ "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.standalone.autoscaling" -}}
{{- $kind := include "ray-vllm-stack.standalone.autoscaler" .model }}
{{- $path := printf "models.%s.standalone.autoscaling" .id }}
{{- with .model.standalone.autoscaling }}
{{- if eq (int $.model.replicas.min) 0 }}
{{- if eq $kind "hpa" }}
models.{{ $.id }}.replicas.min: is 0, but a HorizontalPodAutoscaler keeps one replica, make it 1, set standalone.autoscaling.kind to keda, or set runtime to ray
{{- else if and $kind (eq .metric "cpu") }}
{{ $path }}.metric: is cpu, but with no replica (replicas.min is 0) none would ever start, use requests
{{- end }}
{{- end }}
{{- if and $kind (eq .metric "requests") (not $.root.Values.gateway.enabled) }}
{{ $path }}.metric: is requests, which the gateway counts, but gateway.enabled is false, use cpu
{{- else if and (eq $kind "keda") (eq .metric "requests") (not .prometheusUrl) }}
{{ $path }}.prometheusUrl: is empty, but KEDA asks Prometheus for the requests at the gateway, set it, such as http://prometheus.monitoring:9090
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a standalone model's pod: its devices, its image, and what its class says of Ray's container.
usage: include "ray-vllm-stack.validate.model.standalone.pod" (dict "root" $ "id" "a" "model" <model> "class" <class>)
*/}}
{{- define "ray-vllm-stack.validate.model.standalone.pod" -}}
{{- $devices := include "ray-vllm-stack.standalone.devices" .model | int }}
{{- if and (not .class.resource) (gt $devices 1) }}
models.{{ .id }}.parallelism.tensor: is {{ $devices }}, but pods of class {{ .class.name }} have no devices, leave it at 1
{{- else if gt $devices (int .class.devicesPerHost) }}
models.{{ .id }}.parallelism.tensor: is {{ $devices }}, but a host of class {{ .class.name }} has {{ int .class.devicesPerHost }} {{ .class.resource }}, lower it or use another class
{{- end }}
{{- $platform := get .root.Values.resolved.platforms .class.platform | default dict }}
{{- $image := (get .root.Values.resolved.clusters .model.cluster).image }}
{{- if not (or $platform.imageTag $image.tag $image.digest) }}
clusters.{{ .model.cluster }}.image.tag: is empty, and there is no serve image of ours for platform {{ .class.platform }}, which model {{ .id }} runs on, name one with vLLM and serve_app
{{- end }}
{{- range .class.pods }}
{{- range ((. | default dict).spec | default dict).containers }}
{{- if ne .name "vllm" }}
accelerators.{{ $.class.name }}.pod.spec.containers: names {{ .name }}, but model {{ $.id }} (runtime standalone) has the container vllm in its place, set the class's typed keys, or models.{{ $.id }}.standalone.pod
{{- end }}
{{- end }}
{{- end }}
{{- end }}
