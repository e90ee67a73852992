{{/*
Security context of every pod of the chart, as the PodSecurity level `restricted` asks. OpenShift chooses the user ids
itself and refuses ours; the images run as any user of group 0.
usage: include "ray-vllm-stack.securityContext.pod" $
*/}}
{{- define "ray-vllm-stack.securityContext.pod" -}}
runAsNonRoot: true
{{- if not .Values.openshift.enabled }}
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/*
Security context of every container of the chart.
usage: include "ray-vllm-stack.securityContext.container" $
*/}}
{{- define "ray-vllm-stack.securityContext.container" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}
