{{/*
Environment of all Ray containers of a cluster, sorted by name; the cluster's own `env` wins. None of it comes from
values that are edited often: a change builds a new cluster. So what `prefix-affinity` needs (bodies up to 256 KiB go to the
router) is always there; it costs nothing while no model has a router. A new Serve controller kills each replica that has not
answered it within RAY_SERVE_SLOW_STARTUP_WARNING_S: after a lost head it may take 30 s and more until it can.
usage: include "ray-vllm-stack.serving.env" <context>
*/}}
{{- define "ray-vllm-stack.serving.env" -}}
{{- $env := dict
  "HF_HOME" "/home/ray/huggingface"
  "RAY_AUTH_MODE" "disabled"
  "RAY_SERVE_ENABLE_HA_PROXY" "1"
  "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S" "3600"
  "RAY_SERVE_HAPROXY_INGRESS_REQUEST_ROUTER_BUFSIZE" "262144"
  "RAY_SERVE_INGRESS_REQUEST_ROUTER_FORWARD_BODY" "1"
  "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING" "1"
  "RAY_SERVE_SLOW_STARTUP_WARNING_S" "300"
  "RAY_SERVE_THROUGHPUT_OPTIMIZED" "1"
  "RAY_worker_niceness" "0" }}
{{- if include "ray-vllm-stack.caBundle" .cluster.storage.caBundle }}
  {{- $env = merge $env (dict "SSL_CERT_FILE" "/etc/ca-bundle/ca.crt" "REQUESTS_CA_BUNDLE" "/etc/ca-bundle/ca.crt") }}
{{- end }}
{{- include "ray-vllm-stack.env.list" (mergeOverwrite $env .cluster.env) }}
{{- with .cluster.storage.huggingFaceToken }}
{{- if .existingSecret }}
- name: HF_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- end }}
