{{/*
Labels of an object. Never on Ray pods: a chart version in them would rebuild the Ray clusters at every upgrade. The
chart's own labels win over `commonLabels`, since selectors and policies ask for them.
usage: include "ray-vllm-stack.labels" (dict "root" $ "component" "gateway")
*/}}
{{- define "ray-vllm-stack.labels" -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- $own := dict
  "helm.sh/chart" ($chart | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- mergeOverwrite (include "ray-vllm-stack.podLabels" . | fromYaml) $own | toYaml }}
{{- end }}

{{/*
Labels of the pods of a component that is no Ray pod.
usage: include "ray-vllm-stack.podLabels" (dict "root" $ "component" "gateway")
*/}}
{{- define "ray-vllm-stack.podLabels" -}}
{{- $common := include "ray-vllm-stack.merge.withoutNulls" .root.Values.commonLabels | fromJson }}
{{- $own := include "ray-vllm-stack.selectorLabels" . | fromYaml }}
{{- mergeOverwrite $common $own (dict "app.kubernetes.io/part-of" "ray-vllm-stack") | toYaml }}
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
