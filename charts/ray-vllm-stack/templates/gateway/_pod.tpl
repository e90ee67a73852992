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
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "ray-vllm-stack.selectorLabels" (dict "root" $ "component" "gateway") | nindent 8 }}
  {{- end }}
containers:
  - {{- include "ray-vllm-stack.gateway.container" . | nindent 4 }}
volumes:
  {{- include "ray-vllm-stack.gateway.volumes" . | nindent 2 }}
{{- end }}
