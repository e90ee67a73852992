{{/*
Labels of an object. Never on Ray pods: a chart version in them would rebuild the Ray clusters at every upgrade.
usage: include "ray-vllm-stack.labels" (dict "root" $ "component" "gateway")
*/}}
{{- define "ray-vllm-stack.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "ray-vllm-stack.selectorLabels" . }}
app.kubernetes.io/part-of: ray-vllm-stack
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
Labels that select the pods of a component; they never change.
usage: include "ray-vllm-stack.selectorLabels" (dict "root" $ "component" "gateway")
*/}}
{{- define "ray-vllm-stack.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}
