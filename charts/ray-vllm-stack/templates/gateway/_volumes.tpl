{{/*
Volumes of the gateway's pod. It watches its configuration and keys, so an edit of them restarts nothing.
usage: include "ray-vllm-stack.gateway.volumes" $
*/}}
{{- define "ray-vllm-stack.gateway.volumes" -}}
- name: config
  configMap:
    name: {{ include "ray-vllm-stack.gateway.name" . }}
{{- if .Values.auth.enabled }}
- name: api-keys
  projected:
    sources:
      {{- include "ray-vllm-stack.gateway.keySources" . | nindent 6 }}
{{- end }}
{{- with include "ray-vllm-stack.gateway.providerKeys" . | fromJsonArray }}
- name: provider-keys
  projected:
    sources:
      {{- toYaml . | nindent 6 }}
{{- end }}
{{- with include "ray-vllm-stack.gateway.redisPassword" . | fromJson }}
- name: redis-password
  secret:
    secretName: {{ .secret }}
    items: [{key: {{ .key | quote }}, path: password}]
{{- end }}
{{- if .Values.data.enabled }}
- name: data-tokens
  secret:
    secretName: {{ include "ray-vllm-stack.data.secret" . }}
    items: [{key: component-token, path: component-token}, {key: gateway-token, path: gateway-token}]
{{- end }}
{{- with include "ray-vllm-stack.caBundle" .Values.gateway.caBundle }}
- name: ca-bundle
  {{- . | nindent 2 }}
{{- end }}
- name: tmp
  emptyDir: {}
{{- end }}

{{/*
Mounts of the gateway's container for `ray-vllm-stack.gateway.volumes`.
usage: include "ray-vllm-stack.gateway.volumeMounts" $
*/}}
{{- define "ray-vllm-stack.gateway.volumeMounts" -}}
- {name: config, mountPath: /etc/gateway, readOnly: true}
{{- if .Values.auth.enabled }}
- {name: api-keys, mountPath: /etc/gateway-keys, readOnly: true}
{{- end }}
{{- if include "ray-vllm-stack.gateway.providerKeys" . | fromJsonArray }}
- {name: provider-keys, mountPath: /etc/gateway-providers, readOnly: true}
{{- end }}
{{- if include "ray-vllm-stack.gateway.redisPassword" . | fromJson }}
- {name: redis-password, mountPath: /etc/gateway-redis, readOnly: true}
{{- end }}
{{- if .Values.data.enabled }}
- {name: data-tokens, mountPath: /etc/gateway-data, readOnly: true}
{{- end }}
{{- if include "ray-vllm-stack.caBundle" .Values.gateway.caBundle }}
- {name: ca-bundle, mountPath: /etc/ca-bundle, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- end }}
