{{/*
Metadata of a Ray pod template. KubeRay adds its own labels; no chart version and no checksum belong here.
usage: include "ray-vllm-stack.serving.podMetadata" (dict "root" $ "component" "ray-head")
*/}}
{{- define "ray-vllm-stack.serving.podMetadata" -}}
labels:
  app.kubernetes.io/instance: {{ .root.Release.Name }}
  app.kubernetes.io/part-of: ray-vllm-stack
  app.kubernetes.io/component: {{ .component }}
{{- if .root.Values.capacity.enabled }}
annotations:
  karpenter.sh/do-not-disrupt: "true" # nodes are replaced when the Ray autoscaler has emptied them
{{- end }}
{{- end }}

{{/*
What the pod specs of heads and workers share.
usage: include "ray-vllm-stack.serving.podBase" <context>
*/}}
{{- define "ray-vllm-stack.serving.podBase" -}}
enableServiceLinks: false
restartPolicy: Never # autoscaler v2 replaces pods, it does not restart their containers
terminationGracePeriodSeconds: 30
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
