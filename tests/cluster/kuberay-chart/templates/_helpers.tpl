{{/* Name of every object. Usage: {{ include "kuberay-operator.fullname" . }} */}}
{{- define "kuberay-operator.fullname" -}}
{{- $name := printf "%s-%s" .Release.Name (include "kuberay-operator.name" .) }}
{{- .Values.fullnameOverride | default $name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Value of app.kubernetes.io/name. */}}
{{- define "kuberay-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the operator's ServiceAccount. */}}
{{- define "kuberay-operator.serviceAccount" -}}
{{- $name := ternary (include "kuberay-operator.fullname" .) "default" .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default $name }}
{{- end }}

{{/* Labels that select the operator's pods. */}}
{{- define "kuberay-operator.selector" -}}
app.kubernetes.io/name: {{ include "kuberay-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "kuberay-operator.labels" -}}
{{ include "kuberay-operator.selector" . }}
app.kubernetes.io/component: kuberay-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The namespaces that are watched, joined by commas; empty for all. */}}
{{- define "kuberay-operator.watched" -}}
{{- if .Values.watchNamespace }}{{ join "," .Values.watchNamespace }}
{{- else if .Values.singleNamespaceInstall }}{{ .Release.Namespace }}
{{- end }}
{{- end }}

{{/* The operator's arguments, a YAML list. */}}
{{- define "kuberay-operator.arguments" -}}
{{- with .Values.batchScheduler }}
{{- if and .enabled .name }}
{{- fail "kuberay-operator: set batchScheduler.enabled or batchScheduler.name, not both" }}
{{- end }}
{{- if .enabled }}
- --enable-batch-scheduler
{{- end }}
{{- with .name }}
- --batch-scheduler={{ . }}
{{- end }}
{{- end }}
{{- with include "kuberay-operator.watched" . }}
- --watch-namespace={{ . }}
{{- end }}
- --log-stdout-encoder={{ .Values.logging.stdoutEncoder }}
- --enable-leader-election={{ .Values.leaderElectionEnabled }}
- --enable-metrics={{ .Values.metrics.enabled }}
- --reconcile-concurrency={{ .Values.reconcileConcurrency }}
- --qps={{ .Values.kubeClient.qps }}
- --burst={{ .Values.kubeClient.burst }}
{{- $gates := list }}
{{- range .Values.featureGates }}{{ $gates = append $gates (printf "%s=%t" .name .enabled) }}{{ end }}
{{- with $gates }}
- --feature-gates={{ join "," . }}
{{- end }}
{{- end }}

{{/* A role and its binding, of the cluster where the namespace is empty.
     Usage: {{ include "kuberay-operator.role" (dict "root" $ "name" NAME "namespace" NAMESPACE "rules" RULES) }} */}}
{{- define "kuberay-operator.role" -}}
{{- $kind := ternary "Role" "ClusterRole" (ne .namespace "") -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "kuberay-operator.labels" .root | nindent 4 }}
rules: {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "kuberay-operator.labels" .root | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ $kind }}, name: {{ .name }}}
subjects:
  - kind: ServiceAccount
    name: {{ include "kuberay-operator.serviceAccount" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
