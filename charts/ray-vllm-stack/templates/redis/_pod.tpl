{{/*
The embedded Redis's pod spec. The password comes as a configuration file, so that no command line shows it.
usage: include "ray-vllm-stack.redis.pod" $
*/}}
{{- define "ray-vllm-stack.redis.pod" -}}
serviceAccountName: {{ include "ray-vllm-stack.security.redisAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" . | nindent 2 }}
{{- include "ray-vllm-stack.imagePullSecrets" . }}
{{- include "ray-vllm-stack.capacity.systemPod" . }}
containers:
  - name: redis
    image: {{ include "ray-vllm-stack.image" (dict "root" . "image" .Values.redis.image "tag" "") }}
    imagePullPolicy: {{ .Values.redis.image.pullPolicy }}
    command: {{ toJson .Values.redis.command }}
    args: [/etc/redis/redis.conf, --dir, /data, --appendonly, "yes", --save, ""]
    securityContext:
      {{- include "ray-vllm-stack.securityContext.container" . | nindent 6 }}
    ports:
      - {name: redis, containerPort: 6379}
    startupProbe: {tcpSocket: {port: redis}, periodSeconds: 1, failureThreshold: 120}
    livenessProbe: {tcpSocket: {port: redis}, periodSeconds: 10, timeoutSeconds: 5}
    readinessProbe: {tcpSocket: {port: redis}, periodSeconds: 5, timeoutSeconds: 5}
    resources:
      {{- toYaml .Values.redis.resources | nindent 6 }}
    volumeMounts:
      - {name: config, mountPath: /etc/redis, readOnly: true}
      - {name: data, mountPath: /data}
volumes:
  - name: config
    secret:
      secretName: {{ include "ray-vllm-stack.redis.secret" . }}
      items: [{key: redis.conf, path: redis.conf}]
  - name: data
    persistentVolumeClaim:
      claimName: {{ .Values.redis.persistence.existingClaim | default (include "ray-vllm-stack.redis.name" .) }}
{{- end }}
