{{/*
Selector of the pods of this release that have one of some components, of one cluster or of some where that is asked.
KubeRay's own labels are not asked, so that it also selects the Job that cleans Redis.
usage: include "ray-vllm-stack.security.pods" (dict "root" $ "components" (list "ray-head" "ray-worker") "clusters" (list "main"))
*/}}
{{- define "ray-vllm-stack.security.pods" -}}
matchLabels:
  app.kubernetes.io/instance: {{ .root.Release.Name }}
  app.kubernetes.io/part-of: ray-vllm-stack
matchExpressions:
  - {key: app.kubernetes.io/component, operator: In, values: {{ toJson .components }}}
  {{- with .clusters }}
  - {key: ray-vllm-stack.io/cluster, operator: In, values: {{ toJson . }}}
  {{- end }}
{{- end }}

{{/*
Selector of the Ray pods of this release, of all clusters or of some.
usage: include "ray-vllm-stack.security.rayPods" (dict "root" $ "clusters" (list "main"))
*/}}
{{- define "ray-vllm-stack.security.rayPods" -}}
{{- include "ray-vllm-stack.security.pods" (merge (dict "components" (list "ray-head" "ray-worker")) .) }}
{{- end }}

{{/*
Peers who may scrape metrics, as a YAML list.
usage: include "ray-vllm-stack.security.monitoring" $
*/}}
{{- define "ray-vllm-stack.security.monitoring" -}}
{{- .Values.networkPolicy.monitoring | default (list (dict "namespaceSelector" dict)) | toYaml }}
{{- end }}

{{/*
Egress rule that lets pods resolve names, as a YAML list. OpenShift's DNS pods listen on 5353, and a policy sees that port,
not the Service's.
usage: include "ray-vllm-stack.security.dns" $
*/}}
{{- define "ray-vllm-stack.security.dns" -}}
- ports:
    {{- range $port := ternary (list 53 5353) (list 53) .Values.openshift.enabled }}
    - {port: {{ $port }}, protocol: UDP}
    - {port: {{ $port }}, protocol: TCP}
    {{- end }}
{{- end }}
