{{/*
The gateway's container.
usage: include "ray-vllm-stack.gateway.container" $
*/}}
{{- define "ray-vllm-stack.gateway.container" -}}
name: gateway
image: {{ include "ray-vllm-stack.image.gateway" . }}
imagePullPolicy: {{ .Values.gateway.image.pullPolicy }}
command: [python, -m, serve_app.gateway]
args:
  - --config=/etc/gateway/gateway.yaml
  {{- if .Values.auth.enabled }}
  - --api-keys=/etc/gateway-keys
  {{- end }}
  {{- if include "ray-vllm-stack.gateway.redisPassword" . | fromJson }}
  - --redis-password-file=/etc/gateway-redis/password
  {{- end }}
  {{- if .Values.data.enabled }}
  - --data-tokens=/etc/gateway-data
  {{- end }}
  - --drain-seconds={{ int .Values.gateway.drainSeconds }}
{{- with include "ray-vllm-stack.gateway.env" . }}
env:
  {{- trim . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "ray-vllm-stack.securityContext.container" . | nindent 2 }}
ports:
  - {name: http, containerPort: 8080}
  - {name: metrics, containerPort: 9090}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
resources:
  {{- toYaml .Values.gateway.resources | nindent 2 }}
volumeMounts:
  {{- include "ray-vllm-stack.gateway.volumeMounts" . | nindent 2 }}
{{- end }}
