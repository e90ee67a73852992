{{/*
The head group of a Ray cluster.
usage: include "ray-vllm-stack.serving.headGroup" <context>
*/}}
{{- define "ray-vllm-stack.serving.headGroup" -}}
rayStartParams:
  {{- mergeOverwrite (dict "dashboard-host" "0.0.0.0") .cluster.head.rayStartParams | toYaml | nindent 2 }}
template:
  metadata:
    {{- include "ray-vllm-stack.serving.podMetadata" (dict "root" .root "component" "ray-head") | nindent 4 }}
  spec:
    {{- $text := include "ray-vllm-stack.serving.headPod" . }}
    {{- include "ray-vllm-stack.spec.apply" (dict "text" $text "spec" .cluster.head.spec) | nindent 4 }}
{{- end }}

{{/*
The head's pod spec, before the cluster's raw `head.spec`.
usage: include "ray-vllm-stack.serving.headPod" <context>
*/}}
{{- define "ray-vllm-stack.serving.headPod" -}}
serviceAccountName: {{ include "ray-vllm-stack.component.name" (dict "root" .root "component" "head") }}
automountServiceAccountToken: true # the autoscaler's; KubeRay binds its Role to the account
{{ include "ray-vllm-stack.serving.podBase" . }}
containers:
  - name: ray-head
    {{- include "ray-vllm-stack.serving.container" . | nindent 4 }}
    resources:
      {{- include "ray-vllm-stack.serving.resources" (dict "resources" .cluster.head.resources "devices" dict) | nindent 6 }}
    volumeMounts:
      {{- include "ray-vllm-stack.serving.volumeMounts" . | nindent 6 }}
    ports:
      {{- range $name, $port := dict "gcs-server" 6379 "dashboard" 8265 "client" 10001 "serve" 8000 "metrics" 8080 "as-metrics" 44217 "dash-metrics" 44227 "haproxy-metrics" 9101 }}
      - name: {{ $name }}
        containerPort: {{ $port }}
      {{- end }}
volumes:
  {{- include "ray-vllm-stack.serving.volumes" . | nindent 2 }}
  - name: autoscaler-tmp
    emptyDir: {}
  - name: autoscaler-home
    emptyDir: {}
{{- end }}
