{{/*
What serve_app is told of an agent, as JSON.
usage: include "ray-vllm-stack.pipelines.agentArgs" (dict "root" $ "pipeline" <pipeline>)
*/}}
{{- define "ray-vllm-stack.pipelines.agentArgs" -}}
{{- $pipeline := .pipeline }}
{{- $limits := dict }}
{{- range $key, $value := $pipeline.limits }}{{ $_ := set $limits (snakecase $key) $value }}{{ end }}
{{- range $key := list "steps" "tokens" "result_characters" }}
  {{- if hasKey $limits $key }}{{ $_ := get $limits $key | int64 | set $limits $key }}{{ end }}
{{- end }}
{{- $kept := $pipeline.conversations }}
{{- $args := dict
  "pipeline_id" $pipeline.id
  "kind" "agent"
  "gateway" (include "ray-vllm-stack.pipelines.gateway" .root | fromJson)
  "generate" $pipeline.generate
  "instructions" $pipeline.instructions
  "tools" (include "ray-vllm-stack.pipelines.tools" $pipeline.tools | fromJson)
  "limits" $limits
  "conversations" (dict "max" (int64 $kept.max) "bytes" (int64 $kept.bytes) "seconds" $kept.seconds)
  "versions" (pick (include "ray-vllm-stack.versions" .root | fromJson) "ray" "vllm") }}
{{- if $pipeline.branches }}
  {{- $_ := merge $args (dict "classify" $pipeline.classify "branches" $pipeline.branches) }}
{{- end }}
{{- with include "ray-vllm-stack.pipelines.tracing" .root | fromJson }}
  {{- $_ := set $args "tracing" . }}
{{- end }}
{{- toJson $args }}
{{- end }}

{{/*
An agent's tools, as JSON: headers whose values are in the cluster's Secret have the files that it is mounted as.
usage: include "ray-vllm-stack.pipelines.tools" <tools> | fromJson
*/}}
{{- define "ray-vllm-stack.pipelines.tools" -}}
{{- $tools := deepCopy . }}
{{- range $tool := concat (values ($tools.mcp | default dict)) (values ($tools.http | default dict)) }}
  {{- range $name, $value := $tool.headers }}
    {{- if kindIs "map" $value }}
      {{- $file := dict "file" (printf "/etc/tool-credentials/%s" $value.key) "prefix" ($value.prefix | default "") }}
      {{- $_ := set $tool.headers $name $file }}
    {{- end }}
  {{- end }}
{{- end }}
{{- toJson $tools }}
{{- end }}

{{/*
URLs of the tools of a cluster's agents, as a JSON array.
usage: include "ray-vllm-stack.pipelines.toolUrls" <cluster> | fromJsonArray
*/}}
{{- define "ray-vllm-stack.pipelines.toolUrls" -}}
{{- $urls := list }}
{{- range .pipelines }}
  {{- if eq .kind "agent" }}
    {{- range concat (values (.tools.mcp | default dict)) (values (.tools.http | default dict)) }}
      {{- $urls = append $urls .url }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $urls | uniq | sortAlpha | toJson }}
{{- end }}
