{{/*
Volumes of a Ray pod: what is writable under a read-only root (KubeRay adds /dev/shm), and the claims with weights.
usage: include "ray-vllm-stack.serving.volumes" <context>
*/}}
{{- define "ray-vllm-stack.serving.volumes" -}}
- name: tmp
  emptyDir: {}
- name: home
  emptyDir: {}
{{- range .cluster.claims }}
- name: {{ printf "models-%s" (replace "." "-" .) | trunc 63 | trimSuffix "-" }}
  persistentVolumeClaim:
    claimName: {{ . }}
    readOnly: true
{{- end }}
{{- end }}

{{/*
Mounts of the Ray container for `ray-vllm-stack.serving.volumes`.
usage: include "ray-vllm-stack.serving.volumeMounts" <context>
*/}}
{{- define "ray-vllm-stack.serving.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
- name: home
  mountPath: /home/ray
{{- range .cluster.claims }}
- name: {{ printf "models-%s" (replace "." "-" .) | trunc 63 | trimSuffix "-" }}
  mountPath: /mnt/models/{{ . }}
  readOnly: true
{{- end }}
{{- end }}

{{/*
Source of the volume that holds downloaded weights.
usage: include "ray-vllm-stack.serving.modelCache" <context>
*/}}
{{- define "ray-vllm-stack.serving.modelCache" -}}
{{- with .cluster.storage.modelCache }}
{{- if .existingClaim -}}
persistentVolumeClaim:
  claimName: {{ .existingClaim }}
{{- else if .sizeLimit -}}
emptyDir:
  sizeLimit: {{ .sizeLimit }}
{{- else -}}
emptyDir: {}
{{- end }}
{{- end }}
{{- end }}
