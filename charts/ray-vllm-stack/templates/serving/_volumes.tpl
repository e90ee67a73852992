{{/*
Volumes of a Ray pod: what is writable under a read-only root (KubeRay adds /dev/shm), and the claims with weights.
usage: include "ray-vllm-stack.serving.volumes" <context>
*/}}
{{- define "ray-vllm-stack.serving.volumes" -}}
- name: tmp
  emptyDir: {}
- name: home
  emptyDir: {}
{{- with include "ray-vllm-stack.caBundle" .cluster.storage.caBundle }}
- name: ca-bundle
  {{- . | nindent 2 }}
{{- end }}
{{- with include "ray-vllm-stack.pipelines.volume" . | trim }}
{{ . }}
{{- end }}
{{- range .cluster.claims }}
- name: {{ include "ray-vllm-stack.serving.claimVolume" . }}
  persistentVolumeClaim:
    claimName: {{ . }}
    readOnly: true
{{- end }}
{{- range .cluster.jobClaims }}
- name: {{ include "ray-vllm-stack.serving.claimVolume" . | replace "models-" "job-" }}
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- end }}

{{/*
Name of the volume of a claim with weights. Volumes take no dots and 63 characters: what a claim's name loses with them is
in a hash, so that no two have one volume.
usage: include "ray-vllm-stack.serving.claimVolume" "demo-models"
*/}}
{{- define "ray-vllm-stack.serving.claimVolume" -}}
{{- $name := printf "models-%s" . }}
{{- if contains "." . }}
  {{- $name = printf "%s-%s" (replace "." "-" $name) (sha256sum . | trunc 8) }}
{{- end }}
{{- include "ray-vllm-stack.name.short" (dict "name" $name "max" 63) }}
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
{{- if include "ray-vllm-stack.caBundle" .cluster.storage.caBundle }}
- name: ca-bundle
  mountPath: /etc/ca-bundle
  readOnly: true
{{- end }}
{{- if .cluster.documents }}
- name: documents
  mountPath: /etc/ray-vllm-stack
  readOnly: true
{{- end }}
{{- if .cluster.toolCredentials.existingSecret }}
- name: tool-credentials
  mountPath: /etc/tool-credentials
  readOnly: true
{{- end }}
{{- range .cluster.claims }}
- name: {{ include "ray-vllm-stack.serving.claimVolume" . }}
  mountPath: /mnt/models/{{ . }}
  readOnly: true
{{- end }}
{{- range .cluster.jobClaims }}
- name: {{ include "ray-vllm-stack.serving.claimVolume" . | replace "models-" "job-" }}
  mountPath: /mnt/jobs/{{ . }}
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
