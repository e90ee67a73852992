{{/*
Options of Ray's autoscaler, a container that KubeRay adds to the head pod. It inherits nothing from the Ray container:
without this security context and these mounts the head pod is refused under PodSecurity `restricted`.
usage: include "ray-vllm-stack.serving.autoscaler" <context>
*/}}
{{- define "ray-vllm-stack.serving.autoscaler" -}}
version: v2
upscalingMode: Default
idleTimeoutSeconds: {{ int .cluster.autoscaler.idleTimeoutSeconds }}
imagePullPolicy: {{ .cluster.image.pullPolicy }}
env:
  - name: RAY_AUTH_MODE
    value: disabled
resources:
  {{- include "ray-vllm-stack.serving.resources" (dict "resources" .cluster.autoscaler.resources) | nindent 2 }}
securityContext:
  {{- include "ray-vllm-stack.securityContext.container" .root | nindent 2 }}
volumeMounts:
  - name: autoscaler-tmp
    mountPath: /tmp
  - name: autoscaler-home
    mountPath: /home/ray
{{- end }}
