{{/*
The gateway's pod spec, before `gateway.pod`.
usage: include "ray-vllm-stack.gateway.pod" $
*/}}
{{- define "ray-vllm-stack.gateway.pod" -}}
serviceAccountName: {{ include "ray-vllm-stack.security.gatewayAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
# The drain, and before it the seconds in which Services forget the pod.
terminationGracePeriodSeconds: {{ add .Values.gateway.drainSeconds 15 }}
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" . | nindent 2 }}
{{- include "ray-vllm-stack.imagePullSecrets" . }}
{{- include "ray-vllm-stack.capacity.systemPod" . }}
{{ include "ray-vllm-stack.capacity.spread" (dict "root" . "component" "gateway") }}
containers:
  - {{- include "ray-vllm-stack.gateway.container" . | nindent 4 }}
volumes:
  {{- include "ray-vllm-stack.gateway.volumes" . | nindent 2 }}
{{- end }}
