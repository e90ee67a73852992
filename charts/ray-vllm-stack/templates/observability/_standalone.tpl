{{/*
Spec of the PodMonitor of standalone models. vLLM's series get the names that they have on Ray, and job and cluster with
them, so that alerts and dashboards read both, and a model that moves keeps its history.
usage: include "ray-vllm-stack.observability.standalone" $
*/}}
{{- define "ray-vllm-stack.observability.standalone" -}}
{{- $job := printf "%s/%s" .Release.Namespace (include "ray-vllm-stack.component.name" (dict "root" . "component" "ray")) -}}
selector:
  matchLabels:
    {{- include "ray-vllm-stack.selectorLabels" (dict "root" . "component" "standalone") | nindent 4 }}
podMetricsEndpoints:
  - port: http
    interval: {{ .Values.metrics.podMonitor.interval }}
    relabelings:
      - {targetLabel: job, replacement: {{ $job }}}
      - sourceLabels: [__meta_kubernetes_pod_label_ray_vllm_stack_io_cluster]
        targetLabel: ray_service
        replacement: {{ include "ray-vllm-stack.fullname" . }}-$1
      - {sourceLabels: [__meta_kubernetes_pod_label_ray_vllm_stack_io_model], targetLabel: application}
      {{- with .Values.metrics.podMonitor.relabelings }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    metricRelabelings:
      - {sourceLabels: [__name__], regex: "vllm:(.+)", targetLabel: __name__, replacement: ray_vllm_$1}
      {{- with .Values.metrics.podMonitor.metricRelabelings }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
{{- end }}

{{/*
Ids of the standalone models that always have a replica, as a JSON array.
usage: include "ray-vllm-stack.observability.standaloneModels" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.observability.standaloneModels" -}}
{{- $ids := list }}
{{- range $id, $model := .Values.resolved.standalone }}
  {{- if gt (int $model.replicas.min) 0 }}{{ $ids = append $ids $id }}{{ end }}
{{- end }}
{{- toJson $ids }}
{{- end }}
