{{/*
Metadata of a Ray pod template. KubeRay adds its own labels; no chart version and no checksum belong here.
Nodes are replaced when Ray's autoscaler has emptied them, not from under a replica: Karpenter and the cluster
autoscaler are told so.
usage: include "ray-vllm-stack.serving.podMetadata" (dict "root" $ "component" "ray-head" "pods" <list>)
*/}}
{{- define "ray-vllm-stack.serving.podMetadata" -}}
{{- $labels := dict
  "app.kubernetes.io/instance" .root.Release.Name
  "app.kubernetes.io/part-of" "ray-vllm-stack"
  "app.kubernetes.io/component" .component
  "ray-vllm-stack.io/cluster" .cluster }}
{{- $annotations := dict
  "cluster-autoscaler.kubernetes.io/safe-to-evict" "false"
  "karpenter.sh/do-not-disrupt" "true" }}
{{- include "ray-vllm-stack.pod.metadata" (merge (dict "labels" $labels "annotations" $annotations) .) }}
{{- end }}

{{/*
What the pod specs of heads and workers share.
usage: include "ray-vllm-stack.serving.podBase" <context>
*/}}
{{- define "ray-vllm-stack.serving.podBase" -}}
enableServiceLinks: false
restartPolicy: Never # autoscaler v2 replaces pods, it does not restart their containers
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" .root | nindent 2 }}
{{ include "ray-vllm-stack.imagePullSecrets" .root }}
{{- end }}

{{/*
What the Ray containers of heads and workers share.
usage: include "ray-vllm-stack.serving.container" <context>
*/}}
{{- define "ray-vllm-stack.serving.container" -}}
image: {{ .cluster.imageReference }}
imagePullPolicy: {{ .cluster.image.pullPolicy }}
securityContext:
  {{- include "ray-vllm-stack.securityContext.container" .root | nindent 2 }}
env:
  {{- include "ray-vllm-stack.serving.env" . | nindent 2 }}
{{- end }}
