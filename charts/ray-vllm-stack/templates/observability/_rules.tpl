{{/*
The alert groups of files/alerts with this release's names in them, as JSON.
usage: include "ray-vllm-stack.observability.groups" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.observability.groups" -}}
{{- $root := . }}
{{- $ray := include "ray-vllm-stack.component.name" (dict "root" . "component" "ray") }}
{{- $gateway := include "ray-vllm-stack.component.name" (dict "root" . "component" "gateway") }}
{{- $groups := list }}
{{- range $path, $_ := .Files.Glob "files/alerts/*.yaml" }}
  {{- $text := $root.Files.Get $path | replace "$namespace" $root.Release.Namespace | replace "$gatewayJob" $gateway }}
  {{- $text = $text | replace "$rayJob" (printf "%s/%s" $root.Release.Namespace $ray) }}
  {{- range (fromYaml $text).groups }}
    {{- $rules := list }}
    {{- range .rules }}
      {{- $rules = concat $rules (include "ray-vllm-stack.observability.rule" (dict "root" $root "rule" .) | fromJsonArray) }}
    {{- end }}
    {{- if $rules }}
      {{- $groups = append $groups (set . "rules" $rules) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- toJson $groups }}
{{- end }}

{{/*
One alert with its runbook_url, as a JSON array: once for each Ray cluster if it says $rayService, and not at all if it
is about a gateway that is off, or needs a switch that is off.
usage: include "ray-vllm-stack.observability.rule" (dict "root" $ "rule" <rule>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.observability.rule" -}}
{{- $root := .root }}
{{- $url := printf "%s#%s" $root.Values.metrics.rules.runbookUrl (lower .rule.alert) }}
{{- $rule := mergeOverwrite .rule (dict "annotations" (dict "runbook_url" $url)) }}
{{- $rules := list }}
{{- $needed := true }}
{{- with $rule.needs }}
  {{- $needed = include "ray-vllm-stack.observability.value" (dict "values" $root.Values "path" .) | eq "true" }}
{{- end }}
{{- if contains "$rayService" $rule.expr }}
  {{- range $root.Values.resolved.used }}
    {{- $name := (get $root.Values.resolved.clusters .).rayService }}
    {{- $rules = append $rules (toJson $rule | replace "$rayService" $name | fromJson) }}
  {{- end }}
{{- else if and $needed (or $root.Values.gateway.enabled (not (hasPrefix "Gateway" $rule.alert))) }}
  {{- $rules = list (omit $rule "needs") }}
{{- end }}
{{- toJson $rules }}
{{- end }}

{{/*
A value by its path.
usage: include "ray-vllm-stack.observability.value" (dict "values" .Values "path" "gateway.redis.enabled")
*/}}
{{- define "ray-vllm-stack.observability.value" -}}
{{- $value := .values }}
{{- range splitList "." .path }}
  {{- $value = get $value . }}
{{- end }}
{{- toString $value }}
{{- end }}
