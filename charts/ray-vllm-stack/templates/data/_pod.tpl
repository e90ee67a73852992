{{/*
The data component's pod spec, before `data.pod`.
usage: include "ray-vllm-stack.data.pod" $
*/}}
{{- define "ray-vllm-stack.data.pod" -}}
serviceAccountName: {{ include "ray-vllm-stack.security.dataAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" . | nindent 2 }}
{{- include "ray-vllm-stack.imagePullSecrets" . }}
{{- include "ray-vllm-stack.capacity.systemPod" . }}
{{- if gt (int .Values.data.replicas) 1 }}
{{ include "ray-vllm-stack.capacity.spread" (dict "root" . "component" "data") }}
{{- end }}
containers:
  - name: data
    image: {{ include "ray-vllm-stack.image.data" . }}
    imagePullPolicy: {{ .Values.data.image.pullPolicy }}
    command: [python, -m, serve_app.data, serve]
    args:
      - --config=/etc/data/data.yaml
      - --tokens=/etc/data-tokens
      {{- range $name, $_ := include "ray-vllm-stack.data.secrets" . | fromJson }}
      - --{{ $name }}-file=/etc/data-{{ $name }}/value
      {{- end }}
    securityContext:
      {{- include "ray-vllm-stack.securityContext.container" . | nindent 6 }}
    ports:
      - {name: http, containerPort: 8080}
      - {name: metrics, containerPort: 9090}
    startupProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 2, failureThreshold: 60}
    livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 6}
    readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 5, timeoutSeconds: 5}
    resources:
      {{- toYaml .Values.data.resources | nindent 6 }}
    volumeMounts:
      {{- include "ray-vllm-stack.data.volumeMounts" . | nindent 6 }}
volumes:
  {{- include "ray-vllm-stack.data.volumes" . | nindent 2 }}
{{- end }}

{{/*
Secrets with one value that the component reads, as a JSON map from the argument that names the file to {"secret", "key"}.
usage: include "ray-vllm-stack.data.secrets" $ | fromJson
*/}}
{{- define "ray-vllm-stack.data.secrets" -}}
{{- $secrets := dict }}
{{- with .Values.data.database }}
{{- if .existingSecret }}{{ $_ := set $secrets "database-url" (dict "secret" .existingSecret "key" .key) }}{{ end }}
{{- end }}
{{- with .Values.data.vectors }}
{{- if .existingSecret }}{{ $_ := set $secrets "vectors-secret" (dict "secret" .existingSecret "key" .key) }}{{ end }}
{{- end }}
{{- toJson $secrets }}
{{- end }}

{{/*
Volumes of the component's pod.
usage: include "ray-vllm-stack.data.volumes" $
*/}}
{{- define "ray-vllm-stack.data.volumes" -}}
- name: config
  configMap:
    name: {{ include "ray-vllm-stack.data.name" . }}
- name: tokens
  secret:
    secretName: {{ include "ray-vllm-stack.data.secret" . }}
    items: [{key: component-token, path: component-token}, {key: token, path: token}]
{{- range $name, $secret := include "ray-vllm-stack.data.secrets" . | fromJson }}
- name: {{ $name }}
  secret:
    secretName: {{ $secret.secret }}
    items: [{key: {{ $secret.key | quote }}, path: value}]
{{- end }}
{{- if include "ray-vllm-stack.data.onClaim" . }}
- name: data
  persistentVolumeClaim:
    claimName: {{ include "ray-vllm-stack.data.claim" . }}
{{- end }}
- name: tmp
  emptyDir: {}
{{- end }}

{{/*
Mounts of the component's container.
usage: include "ray-vllm-stack.data.volumeMounts" $
*/}}
{{- define "ray-vllm-stack.data.volumeMounts" -}}
- {name: config, mountPath: /etc/data, readOnly: true}
- {name: tokens, mountPath: /etc/data-tokens, readOnly: true}
{{- range $name, $_ := include "ray-vllm-stack.data.secrets" . | fromJson }}
- {name: {{ $name }}, mountPath: /etc/data-{{ $name }}, readOnly: true}
{{- end }}
{{- if include "ray-vllm-stack.data.onClaim" . }}
- {name: data, mountPath: /var/lib/data}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- end }}
