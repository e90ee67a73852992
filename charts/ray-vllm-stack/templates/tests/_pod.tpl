{{/*
Pod spec of `helm test`, before `smokeTest.pod`.
usage: include "ray-vllm-stack.smoke.pod" $
*/}}
{{- define "ray-vllm-stack.smoke.pod" -}}
{{- $text := ternary (include "ray-vllm-stack.gateway.keyText" . | fromJson) dict .Values.auth.enabled }}
{{- $asks := or (not .Values.auth.enabled) $text -}}
automountServiceAccountToken: false
enableServiceLinks: false
restartPolicy: Never
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" . | nindent 2 }}
{{- with include "ray-vllm-stack.imagePullSecrets" . }}
{{- trim . | nindent 0 }}
{{- end }}
containers:
  - name: smoke
    image: {{ include "ray-vllm-stack.image.gateway" $ }}
    imagePullPolicy: {{ .Values.gateway.image.pullPolicy }}
    command: [python, -m, serve_app.smoke]
    args:
      - --url=http://{{ include "ray-vllm-stack.gateway.name" . }}:{{ int .Values.gateway.service.port }}
      {{- if $text }}
      - --api-key-file=/etc/gateway-key/{{ $text.key }}
      {{- else if .Values.auth.enabled }}
      - --no-key
      {{- end }}
      {{- if $asks }}
      {{- range include "ray-vllm-stack.smoke.models" . | fromJsonArray }}
      - --model={{ . }}
      {{- end }}
      {{- end }}
      - --wait=600
    securityContext:
      {{- include "ray-vllm-stack.securityContext.container" . | nindent 6 }}
    resources:
      requests: {cpu: 20m, memory: 64Mi}
      limits: {memory: 256Mi}
    volumeMounts:
      {{- if $text }}
      - {name: api-key, mountPath: /etc/gateway-key, readOnly: true}
      {{- end }}
      - {name: tmp, mountPath: /tmp}
volumes:
  {{- with $text }}
  - name: api-key
    secret:
      secretName: {{ .secret }}
      items: [{key: {{ .key | quote }}, path: {{ .key | quote }}}]
  {{- end }}
  - name: tmp
    emptyDir: {}
{{- end }}
