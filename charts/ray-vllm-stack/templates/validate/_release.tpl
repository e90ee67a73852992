{{/*
Guards of the release and of the chart itself. Like all guards: one sentence per line, nothing where all is well.
usage: include "ray-vllm-stack.validate.release" $
*/}}
{{- define "ray-vllm-stack.validate.release" -}}
{{- $versions := include "ray-vllm-stack.versions" . | fromJson }}
{{- if ne (toString $versions.stack) .Chart.AppVersion }}
Chart.yaml: appVersion is {{ .Chart.AppVersion }}, but files/versions.yaml is of {{ $versions.stack | default "no version" }}, run `make generate`
{{- end }}
{{- range .Chart.Dependencies }}
{{- if and (eq .Name "kuberay-operator") (ne (toString .Version) (toString $versions.kuberay)) }}
Chart.yaml: the dependency kuberay-operator is {{ .Version }}, but files/versions.yaml says {{ $versions.kuberay }}, make them equal
{{- end }}
{{- end }}
{{- $operator := index .Values "kuberay-operator" }}
{{- if $operator.enabled }}
{{- with .Values.global.imageRegistry }}
{{- if not (hasPrefix (printf "%s/" .) (dig "image" "repository" "" $operator)) }}
kuberay-operator.image.repository: does not begin with {{ . }}/ (global.imageRegistry), which the operator's own chart does not read, set it to {{ . }}/kuberay/operator or where the operator's image is
{{- end }}
{{- end }}
{{- end }}
{{- $fullname := include "ray-vllm-stack.fullname" . }}
{{- if not (regexMatch "^[a-z][a-z0-9-]*$" $fullname) }}
fullnameOverride: object names would begin with "{{ $fullname }}", but KubeRay takes lower-case letters, digits and - with a letter first, set another
{{- end }}
{{- end }}
