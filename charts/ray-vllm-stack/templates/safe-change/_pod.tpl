{{/*
Pod spec of the Job that guards an upgrade, before `safeChange.pod`.
usage: include "ray-vllm-stack.safeChange.pod" $
*/}}
{{- define "ray-vllm-stack.safeChange.pod" -}}
serviceAccountName: {{ include "ray-vllm-stack.component.name" (dict "root" $ "component" "safe-change") }}
automountServiceAccountToken: true # it reads RayServices through the API
enableServiceLinks: false
restartPolicy: Never
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" . | nindent 2 }}
{{- with include "ray-vllm-stack.imagePullSecrets" . }}
{{- trim . | nindent 0 }}
{{- end }}
containers:
  - name: safe-change
    image: {{ include "ray-vllm-stack.image.gateway" $ }}
    imagePullPolicy: {{ .Values.gateway.image.pullPolicy }}
    command: [python, -m, serve_app.impact, guard]
    args:
      - --manifests=/manifests
      - --release={{ .Release.Name }}
      - --allow={{ join "," .Values.safeChange.allow }}
      {{- with .Values.safeChange.approve }}
      - --approve={{ . }}
      {{- end }}
    securityContext:
      {{- include "ray-vllm-stack.securityContext.container" . | nindent 6 }}
    resources:
      requests: {cpu: 50m, memory: 64Mi}
      limits: {memory: 256Mi}
    volumeMounts:
      - {name: manifests, mountPath: /manifests, readOnly: true}
      - {name: tmp, mountPath: /tmp}
volumes:
  - name: manifests
    projected:
      sources:
        {{- range .Values.resolved.used }}
        - configMap: {name: {{ include "ray-vllm-stack.safeChange.configMap" (dict "root" $ "cluster" .) }}}
        {{- end }}
  - name: tmp
    emptyDir: {}
{{- end }}
