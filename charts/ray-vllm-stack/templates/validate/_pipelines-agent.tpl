{{/*
Guards of an agent.
usage: include "ray-vllm-stack.validate.agent" (dict "root" $ "id" "helper" "pipeline" <pipeline> "path" "pipelines.helper")
*/}}
{{- define "ray-vllm-stack.validate.agent" -}}
{{- $cluster := get .root.Values.resolved.clusters .pipeline.cluster | default dict }}
{{- if not .root.Values.gateway.enabled }}
{{ .path }}.generate: is asked through the gateway, but gateway.enabled is false, set it to true
{{- else if not .root.Values.data.enabled }}
{{ .path }}: asks the gateway with a token of the data component, but data.enabled is false, set it to true
{{- end }}
{{- if and $cluster (not $cluster.documents) }}
{{ .path }}.cluster: {{ .pipeline.cluster }} has no access to the gateway, set clusters.{{ .pipeline.cluster }}.documents to true, which builds a new Ray cluster once
{{- end }}
{{- if (get .pipeline.parts "Conversations" | default dict).replicas }}
{{ .path }}.parts.Conversations.replicas: there is one, whose memory is what is kept, leave it out
{{- end }}
{{ include "ray-vllm-stack.validate.pipeline.generate" . }}
{{ include "ray-vllm-stack.validate.agent.parser" . }}
{{ include "ray-vllm-stack.validate.agent.pipelines" . }}
{{ include "ray-vllm-stack.validate.agent.urls" . }}
{{ include "ray-vllm-stack.validate.agent.headers" . }}
{{ include "ray-vllm-stack.validate.agent.branches" . }}
{{- end }}

{{/*
Guard of how vLLM reads the calls that an agent's models write: by the model's own parser, or they stay text.
usage: include "ray-vllm-stack.validate.agent.parser" (dict "root" $ "pipeline" <pipeline> "path" "pipelines.helper")
*/}}
{{- define "ray-vllm-stack.validate.agent.parser" -}}
{{- $resolved := .root.Values.resolved }}
{{- $asked := list (dict "key" "generate" "name" .pipeline.generate) }}
{{- range $name, $branch := .pipeline.branches }}
  {{- $asked = append $asked (dict "key" (printf "branches.%s.model" $name) "name" ($branch.model | default "")) }}
{{- end }}
{{- if or .pipeline.tools.mcp .pipeline.tools.http .pipeline.tools.pipelines }}
{{- range $asked }}
  {{- $names := list .name }}
  {{- with get $resolved.routes .name }}
    {{- range include "ray-vllm-stack.route.places" . | fromJsonArray }}{{ $names = append $names .id }}{{ end }}
  {{- end }}
  {{- $key := .key }}
  {{- range uniq $names }}
  {{- with get $resolved.enabled . }}
  {{- if not (and .engine.tool_call_parser .engine.enable_auto_tool_choice) }}
{{ $.path }}.{{ $key }}: vLLM does not read the tool calls of {{ .id }}, set models.{{ .id }}.engine.enable_auto_tool_choice and tool_call_parser
  {{- end }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of the pipelines that an agent has search: by handle, so they are of the same cluster.
usage: include "ray-vllm-stack.validate.agent.pipelines" (dict "root" $ "pipeline" <pipeline> "path" "pipelines.helper")
*/}}
{{- define "ray-vllm-stack.validate.agent.pipelines" -}}
{{- $pipelines := .root.Values.resolved.pipelines }}
{{- range $name, $tool := .pipeline.tools.pipelines }}
{{- $path := printf "%s.tools.pipelines.%s" $.path $name }}
{{- $searched := get $pipelines $name | default dict }}
{{- if not $searched }}
{{ $path }}: there is no enabled pipeline of this name, use one of kind rag
{{- else if ne $searched.kind "rag" }}
{{ $path }}: is a pipeline of kind {{ $searched.kind }}, which finds no documents, use one of kind rag
{{- else if ne $searched.cluster $.pipeline.cluster }}
{{ $path }}: is in cluster {{ $searched.cluster }}, but the agent in {{ $.pipeline.cluster }}, move one of them
{{- end }}
{{- if not $tool.description }}
{{ $path }}.description: is empty, say what is in the documents, by which the model decides
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of the tools elsewhere.
usage: include "ray-vllm-stack.validate.agent.urls" (dict "pipeline" <pipeline> "path" "pipelines.helper")
*/}}
{{- define "ray-vllm-stack.validate.agent.urls" -}}
{{- range $name, $server := .pipeline.tools.mcp }}
{{- if not $server.url }}
{{ $.path }}.tools.mcp.{{ $name }}.url: is empty, set the server's URL, such as http://weather.tools.svc:8000/mcp
{{- end }}
{{- end }}
{{- range $name, $tool := .pipeline.tools.http }}
{{- $path := printf "%s.tools.http.%s" $.path $name }}
{{- $parameters := $tool.parameters | default (dict "type" "object") }}
{{- if not $tool.url }}
{{ $path }}.url: is empty, set where the request goes
{{- end }}
{{- if not $tool.description }}
{{ $path }}.description: is empty, say what the tool does, by which the model decides
{{- end }}
{{- if ne (toString $parameters.type) "object" }}
{{ $path }}.parameters: is no JSON schema of an object, write it as {type: object, properties: ...}
{{- end }}
{{- range regexFindAll "\\{[A-Za-z0-9_]+\\}" ($tool.url | default "") -1 }}
{{- $place := trimAll "{}" . }}
{{- if not (has $place ($parameters.required | default list)) }}
{{ $path }}.url: has a place for {{ $place }}, which parameters.required does not name, add it there
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of the tools' headers: what is secret is in the cluster's Secret, since everybody may read values.
usage: include "ray-vllm-stack.validate.agent.headers" (dict "root" $ "pipeline" <pipeline> "path" "pipelines.helper")
*/}}
{{- define "ray-vllm-stack.validate.agent.headers" -}}
{{- $cluster := get .root.Values.resolved.clusters .pipeline.cluster | default dict }}
{{- $secret := ($cluster.toolCredentials | default dict).existingSecret }}
{{- $secrets := list "authorization" "cookie" "proxy-authorization" "x-api-key" "api-key" }}
{{- $connection := list "connection" "content-length" "content-type" "host" "transfer-encoding" }}
{{- range $kind := list "mcp" "http" }}
{{- range $name, $tool := get $.pipeline.tools $kind | default dict }}
{{- range $header, $value := $tool.headers }}
{{- $path := printf "%s.tools.%s.%s.headers.%s" $.path $kind $name $header }}
{{- if has (lower $header) $connection }}
{{ $path }}: is set by the connection itself, leave it out
{{- else if and (kindIs "map" $value) (not $secret) }}
{{ $path }}.key: is in no Secret, name one in clusters.{{ $.pipeline.cluster }}.toolCredentials.existingSecret, which builds a new Ray cluster once
{{- else if and (kindIs "string" $value) (has (lower $header) $secrets) }}
{{ $path }}: is a secret in plain text, put it into the Secret of clusters.{{ $.pipeline.cluster }}.toolCredentials and write {key: ...}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of an agent's branches and of the model that chooses one.
usage: include "ray-vllm-stack.validate.agent.branches" (dict "root" $ "pipeline" <pipeline> "path" "pipelines.helper")
*/}}
{{- define "ray-vllm-stack.validate.agent.branches" -}}
{{- $resolved := .root.Values.resolved }}
{{- $known := merge (dict) $resolved.enabled $resolved.routes $resolved.servedNames $resolved.adapters }}
{{- $tools := .pipeline.tools }}
{{- $named := concat (keys ($tools.mcp | default dict)) (keys ($tools.http | default dict)) (keys ($tools.pipelines | default dict)) }}
{{- $asked := list (dict "key" "classify" "name" .pipeline.classify) }}
{{- if and .pipeline.branches (not .pipeline.classify) }}
{{ .path }}.classify: is empty, name the model that chooses a branch
{{- else if and .pipeline.classify (not .pipeline.branches) }}
{{ .path }}.branches: is empty, but classify names a model that chooses one, add branches or clear classify
{{- end }}
{{- range $name, $branch := .pipeline.branches }}
{{- $asked = append $asked (dict "key" (printf "branches.%s.model" $name) "name" ($branch.model | default "")) }}
{{- if eq $name "other" }}
{{ $.path }}.branches.other: is what all other requests are called, rename it
{{- end }}
{{- if not $branch.when }}
{{ $.path }}.branches.{{ $name }}.when: is empty, say what its requests are about
{{- end }}
{{- range $branch.tools }}
{{- if not (has . $named) }}
{{ $.path }}.branches.{{ $name }}.tools: there is no tool, server or pipeline "{{ . }}", use some of: {{ $named | sortAlpha | join ", " }}
{{- end }}
{{- end }}
{{- end }}
{{- range $asked }}
{{- if and .name (not (hasKey $known .name)) }}
{{ $.path }}.{{ .key }}: there is no enabled model or route "{{ .name }}", use one of: {{ keys $known | sortAlpha | join ", " }}
{{- end }}
{{- end }}
{{- end }}
