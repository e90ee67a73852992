{{/*
Pod spec of the Job that makes keys and passwords, before `madeSecrets.pod`.
usage: include "ray-vllm-stack.madeSecrets.pod" $
*/}}
{{- define "ray-vllm-stack.madeSecrets.pod" -}}
{{- $names := include "ray-vllm-stack.madeSecrets.names" . | fromJson -}}
serviceAccountName: {{ include "ray-vllm-stack.component.name" (dict "root" $ "component" "made-secrets") }}
automountServiceAccountToken: true # it writes Secrets through the API
enableServiceLinks: false
restartPolicy: Never
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" . | nindent 2 }}
{{- with include "ray-vllm-stack.imagePullSecrets" . }}
{{- trim . | nindent 0 }}
{{- end }}
containers:
  - name: made-secrets
    image: {{ include "ray-vllm-stack.image.gateway" $ }}
    imagePullPolicy: {{ .Values.gateway.image.pullPolicy }}
    command: [python, -m, serve_app.make_secrets]
    args:
      {{- range $argument, $name := $names }}
      - --{{ $argument }}={{ $name }}
      {{- end }}
      {{- if hasKey $names "key-texts" }}
      {{- range include "ray-vllm-stack.gateway.madeKeys" . | fromJsonArray }}
      - --key={{ . }}
      {{- end }}
      {{- end }}
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
