{{/*
The RayService of a cluster, once for a render: what guards an upgrade reads it too.
usage: include "ray-vllm-stack.serving.manifest" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.serving.manifest" -}}
{{- if not (hasKey .cluster "manifest") }}
{{- $_ := include "ray-vllm-stack.serving.object" . | set .cluster "manifest" }}
{{- end }}
{{- .cluster.manifest }}
{{- end }}

{{/*
The RayService of a cluster, with the cluster's raw `spec`.
usage: include "ray-vllm-stack.serving.object" <context>
*/}}
{{- define "ray-vllm-stack.serving.object" -}}
apiVersion: ray.io/v1
kind: RayService
metadata:
  name: {{ .cluster.rayService }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "ray-vllm-stack.labels" (dict "root" .root "component" "serving") | nindent 4 }}
    ray-vllm-stack.io/cluster: {{ .cluster.name }}
    {{- with .cluster.queue }}
    kueue.x-k8s.io/queue-name: {{ . }}
  annotations: {kueue.x-k8s.io/elastic-job: "true"} # Kueue refuses clusters with an autoscaler otherwise
    {{- end }}
  # KubeRay would add it itself, and write the whole object back with it in Go's form (1Gi for 1024Mi, empty maps): then
  # those fields were KubeRay's, and each further server-side apply, as helm 4 does it, a conflict.
  finalizers: [ray.io/rayservice-finalizer]
spec:
  {{- $text := include "ray-vllm-stack.serving.rayService" . }}
  {{- include "ray-vllm-stack.spec.apply" (dict "text" $text "specs" .cluster.specs) | nindent 2 }}
{{- end }}

{{/*
Spec of a RayService, before the cluster's raw `spec`.
usage: include "ray-vllm-stack.serving.rayService" <context>
*/}}
{{- define "ray-vllm-stack.serving.rayService" -}}
excludeHeadPodFromServeSvc: {{ include "ray-vllm-stack.serving.keepsWorkers" .cluster }}
rayClusterDeletionDelaySeconds: {{ int .cluster.drainSeconds }}
upgradeStrategy:
  {{- include "ray-vllm-stack.serving.upgradeStrategy" .cluster.upgradeStrategy | nindent 2 }}
serveConfigV2: |
  {{- /* a prompt's empty lines stay empty: indented they would make Helm write all of this as one quoted line */ -}}
  {{- regexReplaceAll "(?m)^ +$" (include "ray-vllm-stack.serving.serveConfig" . | nindent 2) "" }}
rayClusterConfig:
  rayVersion: {{ (include "ray-vllm-stack.versions" .root | fromJson).ray | quote }}
  enableInTreeAutoscaling: true
  autoscalerOptions:
    {{- include "ray-vllm-stack.serving.autoscaler" . | nindent 4 }}
  {{- with include "ray-vllm-stack.serving.faultTolerance" . }}
  gcsFaultToleranceOptions:
    {{- . | nindent 4 }}
  {{- end }}
  headGroupSpec:
    {{- include "ray-vllm-stack.serving.headGroup" . | nindent 4 }}
  workerGroupSpecs:
    {{- range .cluster.groups }}
    - {{- include "ray-vllm-stack.serving.workerGroup" (merge (dict "group" .) $) | nindent 6 }}
    {{- end }}
{{- end }}

{{/*
How KubeRay replaces a cluster, in its own words.
usage: include "ray-vllm-stack.serving.upgradeStrategy" .cluster.upgradeStrategy
*/}}
{{- define "ray-vllm-stack.serving.upgradeStrategy" -}}
{{- if eq .type "incremental" -}}
type: NewClusterWithIncrementalUpgrade
clusterUpgradeOptions:
  {{- range $field := list "gatewayClassName" "stepSizePercent" "intervalSeconds" "maxSurgePercent" }}
  {{ $field }}: {{ $value := get $.incremental $field }}{{ ternary $value (int $value) (kindIs "string" $value) }}
  {{- end }}
{{- else -}}
type: {{ ternary "None" "NewCluster" (eq .type "none") }}
{{- end }}
{{- end }}

{{/*
Whether a cluster has a model or a pipeline that never sleeps: "true" or "false". Where all sleep there may be no worker, and the head
takes the request that wakes one.
usage: include "ray-vllm-stack.serving.keepsWorkers" .cluster
*/}}
{{- define "ray-vllm-stack.serving.keepsWorkers" -}}
{{- $keeps := false }}
{{- range .models }}
  {{- if .enabled }}
    {{- range .parts }}{{ $keeps = or $keeps (gt (int .replicas.min) 0) }}{{ end }}
  {{- end }}
{{- end }}
{{- range .pipelines }}
  {{- if .enabled }}
    {{- range .deployments }}{{ $keeps = or $keeps (gt (int .replicas.min) 0) }}{{ end }}
  {{- end }}
{{- end }}
{{- $keeps }}
{{- end }}
