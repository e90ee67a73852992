{{/*
The gateway's pod spec, before the raw `gateway.spec`. Its configuration and keys are directories that it watches, so an
edit of them restarts nothing.
usage: include "ray-vllm-stack.gateway.pod" $
*/}}
{{- define "ray-vllm-stack.gateway.pod" -}}
serviceAccountName: {{ include "ray-vllm-stack.gateway.name" . }}
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
  - name: config
    configMap:
      name: {{ include "ray-vllm-stack.gateway.name" . }}
  {{- if .Values.auth.enabled }}
  - name: api-keys
    projected:
      sources:
        {{- include "ray-vllm-stack.gateway.keySources" . | nindent 8 }}
  {{- end }}
  {{- with include "ray-vllm-stack.gateway.providerKeys" . | fromJsonArray }}
  - name: provider-keys
    projected:
      sources:
        {{- toYaml . | nindent 8 }}
  {{- end }}
  - name: tmp
    emptyDir: {}
{{- end }}
