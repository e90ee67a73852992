{{/*
How to reach the gateway: its URL, an API key, one request.
usage: include "ray-vllm-stack.notes.access" (dict "root" $ "model" "<model id>")
*/}}
{{- define "ray-vllm-stack.notes.access" -}}
{{- $root := .root }}
{{- $name := include "ray-vllm-stack.gateway.name" $root }}
{{- $get := printf "kubectl -n %s get" $root.Release.Namespace }}
{{- $text := include "ray-vllm-stack.gateway.keyText" $root | fromJson }}
{{- $header := ternary " -H \"Authorization: Bearer $KEY\"" "" $root.Values.auth.enabled }}
{{- $port := int $root.Values.gateway.service.port -}}
The URL, for every OpenAI client inside the cluster:
  http://{{ $name }}.{{ $root.Release.Namespace }}.svc{{ if ne $port 80 }}:{{ $port }}{{ end }}/v1
From outside:
{{- if include "ray-vllm-stack.notes.url" $root }}
  URL={{ include "ray-vllm-stack.notes.url" $root }}
{{- else if eq $root.Values.gateway.service.type "LoadBalancer" }}
  HOST=$({{ $get }} service {{ $name }} -o jsonpath="{.status.loadBalancer.ingress[0]['hostname','ip']}")
  URL=http://$HOST{{ if ne $port 80 }}:{{ $port }}{{ end }}
{{- else if eq $root.Values.gateway.service.type "NodePort" }}
  URL=http://NODE:$({{ $get }} service {{ $name }} -o jsonpath='{.spec.ports[0].nodePort}')
{{- else }}
  kubectl -n {{ $root.Release.Namespace }} port-forward service/{{ $name }} 8080:{{ $port }} &
  URL=http://localhost:8080
{{- end }}
{{- if $root.Values.auth.enabled }}
An API key:
{{- if $text }}
  KEY=$({{ $get }} secret {{ $text.secret }} -o jsonpath='{.data.{{ $text.key | replace "." "\\." }}}' | base64 -d)
{{- else }}
  KEY=...   # only its holder has it
{{- end }}
Further ones, without Helm, from a checkout of the project:
  {{ include "ray-vllm-stack.notes.makeKey" $root }}
{{- end }}
{{- with .model }}
A chat completion:
  curl -N $URL/v1/chat/completions -H 'Content-Type: application/json'{{ $header }} \
    -d '{"model": "{{ . }}", "stream": true, "messages": [{"role": "user", "content": "Who are you?"}]}'
{{- end }}
{{- end }}

{{/*
The command that issues an API key.
usage: include "ray-vllm-stack.notes.makeKey" $
*/}}
{{- define "ray-vllm-stack.notes.makeKey" -}}
{{- $secret := include "ray-vllm-stack.component.name" (dict "root" . "component" "issued-keys") -}}
python -m serve_app.keys make NAME --namespace {{ .Release.Namespace }} --secret {{ $secret }}
{{- end }}

{{/*
A name that a chat completion may ask for: a model's, else a route's, or nothing.
usage: include "ray-vllm-stack.notes.model" $
*/}}
{{- define "ray-vllm-stack.notes.model" -}}
{{- $names := list }}
{{- range $id, $model := .Values.resolved.enabled }}
  {{- if and (eq $model.task "generate") (not $model.private) }}
    {{- $names = append $names $id }}
  {{- end }}
{{- end }}
{{- concat ($names | sortAlpha) (keys .Values.resolved.servedNames | sortAlpha) (keys .Values.resolved.routes | sortAlpha) (list "") | first }}
{{- end }}

{{/*
The gateway's first URL by its Ingress or HTTPRoute, or nothing. The scheme of the latter is the Gateway's business.
usage: include "ray-vllm-stack.notes.url" $
*/}}
{{- define "ray-vllm-stack.notes.url" -}}
{{- $gateway := .Values.gateway }}
{{- $hosts := include "ray-vllm-stack.merge.withoutNulls" $gateway.ingress.hosts | fromJson }}
{{- if and $gateway.ingress.enabled $hosts }}
{{- $host := keys $hosts | sortAlpha | first }}
{{- ternary "https" "http" (ne "" ((get $hosts $host).tlsSecret | default "")) }}://{{ $host }}
{{- else if and $gateway.httpRoute.enabled $gateway.httpRoute.hostnames }}
{{- printf "https://%s" (first $gateway.httpRoute.hostnames) }}
{{- end }}
{{- end }}
