{{/*
Spec of a standalone model's Deployment, before the model's raw `standalone.spec`. An edit starts new pods before old ones
go, as many as `rollout.maxSurgePercent` says, or, where that is 0, one after the other in their places.
usage: include "ray-vllm-stack.standalone.deployment" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.deployment" -}}
{{- $surge := int .model.rollout.maxSurgePercent -}}
{{- if not (include "ray-vllm-stack.standalone.autoscaler" .model) }}
replicas: {{ int .model.replicas.min }}
{{- end }}
revisionHistoryLimit: 2
# A start may take the hour that its probe gives it, and then is reported as failed.
progressDeadlineSeconds: 4200
strategy:
  type: RollingUpdate
  rollingUpdate:
    maxSurge: {{ ternary (printf "%d%%" $surge) 0 (gt $surge 0) }}
    maxUnavailable: {{ ternary 0 1 (gt $surge 0) }}
selector:
  matchLabels:
    {{- include "ray-vllm-stack.standalone.selectorLabels" . | nindent 4 }}
template:
  metadata:
    {{- $class := get .root.Values.resolved.classes .model.accelerator }}
    {{- $pod := dict "root" .root "container" "vllm" "pods" (concat $class.pods .model.standalone.pods) }}
    {{- $labels := include "ray-vllm-stack.podLabels" (dict "root" .root "component" "standalone") | fromYaml }}
    {{- $own := dict "ray-vllm-stack.io/cluster" .model.cluster "ray-vllm-stack.io/model" .model.id }}
    {{- $annotations := dict
      "cluster-autoscaler.kubernetes.io/safe-to-evict" "false"
      "karpenter.sh/do-not-disrupt" "true"
      "ray-vllm-stack.io/settings" (include "ray-vllm-stack.standalone.settings" . | sha256sum | trunc 16) }}
    {{- include "ray-vllm-stack.pod.metadata" (merge (dict "labels" (merge $own $labels) "annotations" $annotations) $pod) | nindent 4 }}
  spec:
    {{- $text := include "ray-vllm-stack.standalone.pod" . }}
    {{- include "ray-vllm-stack.pod.spec" (merge (dict "text" $text) $pod) | nindent 4 }}
{{- end }}
