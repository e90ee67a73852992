{{/*
A standalone model's pod spec, before the class's `pod` and the model's. It is where a worker pod of the model's class
would be, with one container, which Kubernetes restarts.
usage: include "ray-vllm-stack.standalone.pod" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.pod" -}}
{{- $class := get .root.Values.resolved.classes .model.accelerator }}
{{- $cluster := include "ray-vllm-stack.standalone.cluster" . | fromJson }}
{{- $context := dict "root" .root "model" .model "cluster" $cluster "class" $class -}}
serviceAccountName: {{ $cluster.accounts.worker }}
automountServiceAccountToken: false
enableServiceLinks: false
# The preStop hook (Services forget the pod, answers end), and the time that vLLM then has to stop.
terminationGracePeriodSeconds: {{ add 10 .model.rollout.drainSeconds 30 }}
securityContext:
  {{- include "ray-vllm-stack.securityContext.pod" .root | nindent 2 }}
{{- include "ray-vllm-stack.imagePullSecrets" .root }}
{{- include "ray-vllm-stack.capacity.priority" (dict "root" .root "kind" "workers") }}
{{- $group := dict "devices" (include "ray-vllm-stack.standalone.devices" .model | int) "hosts" 1 }}
{{- with include "ray-vllm-stack.serving.workerNodeSelector" (dict "root" .root "class" $class "group" $group) | fromJson }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $class.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{- include "ray-vllm-stack.standalone.container" $context | nindent 4 }}
volumes:
  {{- include "ray-vllm-stack.serving.volumes" $context | nindent 2 }}
  - name: model-cache
    {{- include "ray-vllm-stack.serving.modelCache" $context | nindent 4 }}
  - name: settings
    configMap:
      name: {{ include "ray-vllm-stack.standalone.name" . }}
  - name: shm # what vLLM's processes talk through; a container's own has 64 MiB
    emptyDir: {medium: Memory}
{{- end }}
