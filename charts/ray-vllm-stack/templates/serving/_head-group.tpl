{{/*
The head group of a Ray cluster.
usage: include "ray-vllm-stack.serving.headGroup" <context>
*/}}
{{- define "ray-vllm-stack.serving.headGroup" -}}
{{- $host := ternary "::" "0.0.0.0" (eq .cluster.ipFamily "IPv6") -}}
rayStartParams:
  {{- mergeOverwrite (dict "dashboard-host" $host) .cluster.head.rayStartParams | toYaml | nindent 2 }}
template:
  metadata:
    {{- include "ray-vllm-stack.serving.podMetadata" (dict "root" .root "component" "ray-head" "cluster" .cluster.name "pods" .cluster.head.pods) | nindent 4 }}
  spec:
    {{- $text := include "ray-vllm-stack.serving.headPod" . }}
    {{- $pod := dict "root" .root "text" $text "container" "ray-head" "pods" .cluster.head.pods }}
    {{- include "ray-vllm-stack.pod.spec" $pod | nindent 4 }}
{{- end }}

{{/*
The head's pod spec, before the cluster's `head.pod`.
usage: include "ray-vllm-stack.serving.headPod" <context>
*/}}
{{- define "ray-vllm-stack.serving.headPod" -}}
serviceAccountName: {{ .cluster.accounts.head }}
automountServiceAccountToken: true # the autoscaler's; KubeRay binds its Role to the account
terminationGracePeriodSeconds: 30
{{ include "ray-vllm-stack.serving.podBase" . }}
{{- include "ray-vllm-stack.capacity.systemPod" .root }}
containers:
  - name: ray-head
    {{- include "ray-vllm-stack.serving.container" . | nindent 4 }}
    resources:
      {{- include "ray-vllm-stack.serving.resources" (dict "resources" .cluster.head.resources) | nindent 6 }}
    volumeMounts:
      {{- include "ray-vllm-stack.serving.volumeMounts" . | nindent 6 }}
    ports:
      # KubeRay offers these on the head's Service, and monitors find theirs by name.
      - {name: gcs-server, containerPort: 6379}
      - {name: dashboard, containerPort: 8265}
      - {name: client, containerPort: 10001}
      - {name: serve, containerPort: 8000}
      - {name: metrics, containerPort: 8080}
      - {name: as-metrics, containerPort: 44217}
      - {name: dash-metrics, containerPort: 44227}
      - {name: haproxy-metrics, containerPort: 9101}
volumes:
  {{- include "ray-vllm-stack.serving.volumes" . | nindent 2 }}
  - name: autoscaler-tmp
    emptyDir: {}
  - name: autoscaler-home
    emptyDir: {}
{{- end }}
