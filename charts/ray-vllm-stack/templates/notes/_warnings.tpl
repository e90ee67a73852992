{{/*
What works as the values say, but may not be what its owner expects: one sentence per line.
usage: include "ray-vllm-stack.notes.warnings" $
*/}}
{{- define "ray-vllm-stack.notes.warnings" -}}
{{ include "ray-vllm-stack.notes.warnings.clusters" . }}
{{ include "ray-vllm-stack.notes.warnings.models" . }}
{{ include "ray-vllm-stack.notes.warnings.gateway" . }}
{{ include "ray-vllm-stack.notes.warnings.capacity" . }}
{{- if .Values.resolved.used }}
{{- if not .Values.networkPolicy.enabled }}
networkPolicy.enabled is false: Ray's dashboard and GCS take orders from every pod of this Kubernetes cluster.
{{- end }}
{{- if not (index .Values "kuberay-operator").enabled }}
kuberay-operator.enabled is false: a KubeRay operator {{ (include "ray-vllm-stack.versions" . | fromJson).kuberay }} must be here already, or nothing starts.
{{- end }}
{{- end }}
{{- end }}
