{{/*
The container of a standalone model's pod.
usage: include "ray-vllm-stack.standalone.container" (dict "root" $ "model" <model> "cluster" <cluster> "class" <class>)
*/}}
{{- define "ray-vllm-stack.standalone.container" -}}
{{- $group := dict "devices" (include "ray-vllm-stack.standalone.devices" .model | int) -}}
name: vllm
image: {{ .cluster.imageReference }}
imagePullPolicy: {{ .cluster.image.pullPolicy }}
command: [python, -m, serve_app.models.standalone]
args: [/etc/standalone/model.json, "--host={{ ternary "::" "0.0.0.0" (eq .cluster.ipFamily "IPv6") }}"]
securityContext:
  {{- include "ray-vllm-stack.securityContext.container" .root | nindent 2 }}
env:
  {{- include "ray-vllm-stack.standalone.env" . | nindent 2 }}
ports:
  - {name: http, containerPort: 8000}
{{- include "ray-vllm-stack.standalone.probes" .model | nindent 0 }}
lifecycle:
  preStop:
    exec:
      command: [python, -m, serve_app.models.in_flight, {{ int .model.rollout.drainSeconds | toString | quote }}]
resources:
  {{- $resources := include "ray-vllm-stack.serving.workerResources" (dict "group" $group "class" .class) | fromJson }}
  {{- include "ray-vllm-stack.serving.resources" (dict "resources" $resources) | nindent 2 }}
volumeMounts:
  {{- include "ray-vllm-stack.serving.volumeMounts" . | nindent 2 }}
  - {name: model-cache, mountPath: /home/ray/huggingface} # HF_HOME
  - {name: settings, mountPath: /etc/standalone, readOnly: true}
  - {name: shm, mountPath: /dev/shm}
{{- end }}

{{/*
Environment of the container: that of the cluster's Ray containers without Ray's own variables, which nothing reads here.
usage: include "ray-vllm-stack.standalone.env" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.standalone.env" -}}
{{- $env := list }}
{{- range include "ray-vllm-stack.serving.env" . | fromYamlArray }}
  {{- if not (hasPrefix "RAY_" .name) }}{{ $env = append $env . }}{{ end }}
{{- end }}
{{- toYaml $env }}
{{- end }}

{{/*
Probes that tell busy from dead. vLLM's /health says whether the engine has failed, and waits for none of its work: it is
late only while the server's own process is busy, such as with long prompts. So an answer has as long as on Ray
(`healthCheck`); after three failures no request comes, and after six the container starts anew. A start has an hour,
in which weights arrive.
usage: include "ray-vllm-stack.standalone.probes" <model>
*/}}
{{- define "ray-vllm-stack.standalone.probes" -}}
{{- $period := ceil .healthCheck.periodSeconds | int }}
{{- $timeout := ceil .healthCheck.timeoutSeconds | int -}}
startupProbe:
  httpGet: {path: /health, port: http}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 360
readinessProbe:
  httpGet: {path: /health, port: http}
  periodSeconds: {{ $period }}
  timeoutSeconds: {{ $timeout }}
  failureThreshold: 3
livenessProbe:
  httpGet: {path: /health, port: http}
  periodSeconds: {{ $period }}
  timeoutSeconds: {{ $timeout }}
  failureThreshold: 6
{{- end }}
