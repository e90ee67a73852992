{{/*
Pod spec of the Job that runs before `helm uninstall`, before `uninstall.pod`.
usage: include "ray-vllm-stack.uninstall.pod" $
*/}}
{{- define "ray-vllm-stack.uninstall.pod" -}}
serviceAccountName: {{ include "ray-vllm-stack.component.name" (dict "root" $ "component" "uninstall") }}
automountServiceAccountToken: true # it deletes RayServices through the API
enableServiceLinks: false
restartPolicy: Never
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" . | nindent 2 }}
{{- with include "ray-vllm-stack.imagePullSecrets" . }}
{{- trim . | nindent 0 }}
{{- end }}
containers:
  - name: uninstall
    image: {{ include "ray-vllm-stack.image.gateway" $ }}
    imagePullPolicy: {{ .Values.gateway.image.pullPolicy }}
    command: [python, -m, serve_app.uninstall]
    args:
      {{- with .Values.resolved.used }}
      - --rayservice
      {{- range . }}
      - {{ (get $.Values.resolved.clusters .).rayService }}
      {{- end }}
      {{- end }}
      {{- range $kind, $names := include "ray-vllm-stack.uninstall.jobs" . | fromJson }}
      - --{{ $kind }}
      {{- toYaml $names | nindent 6 }}
      {{- end }}
      {{- with include "ray-vllm-stack.uninstall.secrets" . | fromJsonArray }}
      - --secret
      {{- range . }}
      - {{ . }}
      {{- end }}
      {{- end }}
      - --timeout={{ int .Values.uninstall.timeoutSeconds }}
    securityContext:
      {{- include "ray-vllm-stack.securityContext.container" . | nindent 6 }}
    resources:
      requests: {cpu: 20m, memory: 32Mi}
      limits: {memory: 128Mi}
    volumeMounts:
      - {name: tmp, mountPath: /tmp}
volumes:
  - name: tmp
    emptyDir: {}
{{- end }}
