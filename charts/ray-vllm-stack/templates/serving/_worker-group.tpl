{{/*
A worker group: pods of one size with devices of one accelerator class. Its size is Ray's autoscaler's, so `replicas` is
left out.
usage: include "ray-vllm-stack.serving.workerGroup" (dict "root" $ "cluster" <cluster> "group" <group>)
*/}}
{{- define "ray-vllm-stack.serving.workerGroup" -}}
{{- $class := get .root.Values.resolved.classes .group.accelerator -}}
groupName: {{ .group.name | quote }}
minReplicas: 0
maxReplicas: {{ div (int .group.maxWorkers) (int .group.hosts) }}
{{- if gt (int .group.hosts) 1 }}
numOfHosts: {{ int .group.hosts }}
{{- end }}
rayStartParams:
  {{- include "ray-vllm-stack.serving.workerStartParams" (dict "class" $class "group" .group) | nindent 2 }}
template:
  metadata:
    {{- $pods := concat $class.pods .group.pods }}
    {{- $metadata := dict "root" .root "component" "ray-worker" "cluster" .cluster.name "pods" $pods }}
    {{- include "ray-vllm-stack.serving.podMetadata" $metadata | nindent 4 }}
  spec:
    {{- $text := include "ray-vllm-stack.serving.workerPod" (mergeOverwrite (dict) . (dict "class" $class)) }}
    {{- $pod := dict "root" .root "text" $text "container" "ray-worker" "pods" $pods }}
    {{- include "ray-vllm-stack.pod.spec" $pod | nindent 4 }}
{{- end }}

{{/*
Parameters of `ray start` on the workers of a group. Each worker offers its class as a Ray resource, which the models
of the class ask for; in a group of several hosts it is the shape too, so that only models of this shape are placed there.
Devices are stated under Ray's name of them. Left out, these would be guessed from the container's
resources, by KubeRay and by Ray's autoscaler in two ways: the autoscaler takes a MIG profile or a Neuron core for
nothing, and would never add a pod. Resources are JSON in single quotes, which the shell, KubeRay and the autoscaler read.
usage: include "ray-vllm-stack.serving.workerStartParams" (dict "class" <class> "group" <group>)
*/}}
{{- define "ray-vllm-stack.serving.workerStartParams" -}}
{{- $params := deepCopy .class.rayStartParams }}
{{- $resources := dict }}
{{- with get $params "resources" }}
  {{- $resources = trimAll "'\"" . | replace "\\" "" | fromJson }}
{{- end }}
{{- $shape := ternary (printf "-%dx%d" (int .group.hosts) (int .group.devices)) "" (gt (int .group.hosts) 1) }}
{{- $_ := set $resources (printf "accelerator-class-%s%s" .class.name $shape) 1000 }}
{{- if eq .class.rayResource "GPU" }}
  {{- $params = merge $params (dict "num-gpus" (int .group.devices | toString)) }}
{{- else if .class.rayResource }}
  {{- $resources = merge $resources (dict .class.rayResource (int .group.devices)) }}
{{- end }}
{{- $_ := toJson $resources | printf "'%s'" | set $params "resources" }}
{{- toYaml $params }}
{{- end }}

{{/*
Node labels that the workers of a group ask for, as JSON: the node pool's, the processors where our own are not meant, the
TPU topology of the group's devices, and those of the class, which win.
usage: include "ray-vllm-stack.serving.workerNodeSelector" (dict "root" $ "class" <class> "group" <group>) | fromJson
*/}}
{{- define "ray-vllm-stack.serving.workerNodeSelector" -}}
{{- $selector := dict }}
{{- if .root.Values.capacity.enabled }}
  {{- $pool := include "ray-vllm-stack.capacity.nodePoolName" (dict "root" .root "name" .class.name) }}
  {{- $_ := set $selector "ray-vllm-stack.io/node-pool" $pool }}
{{- end }}
{{- if ne .class.architecture "amd64" }}
  {{- $_ := set $selector "kubernetes.io/arch" .class.architecture }}
{{- end }}
{{- with get .class.topologies (mul .group.devices .group.hosts | toString) }}
  {{- $_ := set $selector "cloud.google.com/gke-tpu-topology" . }}
{{- end }}
{{- mergeOverwrite $selector .class.nodeSelector | toJson }}
{{- end }}

{{/*
A worker's pod spec, before the class's `pod` and the group's.
usage: include "ray-vllm-stack.serving.workerPod" (dict "root" $ "cluster" <cluster> "group" <group> "class" <class>)
*/}}
{{- define "ray-vllm-stack.serving.workerPod" -}}
serviceAccountName: {{ .cluster.accounts.worker }}
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ add .class.drainSeconds 30 }}
{{ include "ray-vllm-stack.serving.podBase" . }}
{{- include "ray-vllm-stack.capacity.priority" (dict "root" .root "kind" "workers") }}
{{- with include "ray-vllm-stack.serving.workerNodeSelector" . | fromJson }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .class.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: ray-worker
    {{- include "ray-vllm-stack.serving.container" . | nindent 4 }}
    {{- with int .class.drainSeconds }}
    lifecycle:
      preStop:
        exec:
          command: [python, -m, serve_app.models.drain, {{ toString . | quote }}]
    {{- end }}
    resources:
      {{- $resources := include "ray-vllm-stack.serving.workerResources" . | fromJson }}
      {{- include "ray-vllm-stack.serving.resources" (dict "resources" $resources) | nindent 6 }}
    volumeMounts:
      {{- include "ray-vllm-stack.serving.volumeMounts" . | nindent 6 }}
      - name: model-cache
        mountPath: /home/ray/huggingface # HF_HOME; below .cache, that directory would be root's, and others write there
    ports:
      - {name: serve, containerPort: 8000}
      - {name: metrics, containerPort: 8080}
      - {name: haproxy-metrics, containerPort: 9101}
volumes:
  {{- include "ray-vllm-stack.serving.volumes" . | nindent 2 }}
  - name: model-cache
    {{- include "ray-vllm-stack.serving.modelCache" . | nindent 4 }}
{{- end }}
