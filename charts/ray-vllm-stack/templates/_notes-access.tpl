{{/*
How to reach the gateway: its URL, an API key, one request.
usage: include "ray-vllm-stack.notes.access" (dict "root" $ "model" "<model id>")
*/}}
{{- define "ray-vllm-stack.notes.access" -}}
{{- $root := .root }}
{{- $name := include "ray-vllm-stack.gateway.name" $root }}
{{- $get := printf "kubectl -n %s get" $root.Release.Namespace }}
{{- $key := include "ray-vllm-stack.gateway.keyName" $root | replace "." "\\." }}
{{- $header := ternary " -H \"Authorization: Bearer $KEY\"" "" $root.Values.auth.enabled }}
{{- $port := int $root.Values.gateway.service.port -}}
The URL, for every OpenAI client inside the cluster:
  http://{{ $name }}.{{ $root.Release.Namespace }}.svc{{ if ne $port 80 }}:{{ $port }}{{ end }}/v1
From outside:
{{- if eq $root.Values.gateway.service.type "LoadBalancer" }}
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
  KEY=$({{ $get }} secret {{ include "ray-vllm-stack.gateway.keysSecret" $root }} -o jsonpath='{.data.{{ $key }}}' | base64 -d)
{{- end }}
A chat completion:
  curl -N $URL/v1/chat/completions -H 'Content-Type: application/json'{{ $header }} \
    -d '{"model": "{{ .model }}", "stream": true, "messages": [{"role": "user", "content": "Who are you?"}]}'
{{- end }}
