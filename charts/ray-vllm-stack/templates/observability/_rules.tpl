{{/*
The alert groups of files/alerts with this release's names in them, as a JSON array.
usage: include "ray-vllm-stack.observability.alerts" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.observability.alerts" -}}
{{- $root := . }}
{{- $ray := include "ray-vllm-stack.component.name" (dict "root" . "component" "ray") }}
{{- $gateway := include "ray-vllm-stack.component.name" (dict "root" . "component" "gateway") }}
{{- $groups := list }}
{{- range $path, $_ := .Files.Glob "files/alerts/*.yaml" }}
  {{- $text := $root.Files.Get $path | replace "$namespace" $root.Release.Namespace | replace "$gatewayJob" $gateway }}
  {{- $text = $text | replace "$dataJob" (include "ray-vllm-stack.data.name" $root) }}
  {{- $text = $text | replace "$rayJob" (printf "%s/%s" $root.Release.Namespace $ray) }}
  {{- $text = $text | replace "$pods" (printf "%s-.+" (include "ray-vllm-stack.fullname" $root)) }}
  {{- $text = $text | replace "$nodePools" (include "ray-vllm-stack.observability.nodePools" $root) }}
  {{- $groups = concat $groups (fromYaml $text).groups }}
{{- end }}
{{- toJson $groups }}
{{- end }}

{{/*
A pattern of the names of the release's NodePools.
usage: include "ray-vllm-stack.observability.nodePools" $
*/}}
{{- define "ray-vllm-stack.observability.nodePools" -}}
{{- $names := list }}
{{- range .Values.resolved.classesInUse }}
  {{- $pool := include "ray-vllm-stack.capacity.nodePool" (dict "root" $ "name" .) | fromJson }}
  {{- range include "ray-vllm-stack.capacity.pools" (dict "root" $ "pool" $pool) | fromJsonArray }}
    {{- $names = append $names (replace "." "[.]" .name) }}
  {{- end }}
{{- end }}
{{- join "|" $names }}
{{- end }}

{{/*
The groups of the PrometheusRule, as a JSON array.
usage: include "ray-vllm-stack.observability.groups" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.observability.groups" -}}
{{- $groups := list }}
{{- range include "ray-vllm-stack.observability.alerts" . | fromJsonArray }}
  {{- $rules := list }}
  {{- range .rules }}
    {{- $rules = concat $rules (include "ray-vllm-stack.observability.rule" (dict "root" $ "rule" .) | fromJsonArray) }}
  {{- end }}
  {{- if $rules }}
    {{- $groups = append $groups (set . "rules" $rules) }}
  {{- end }}
{{- end }}
{{- toJson $groups }}
{{- end }}

{{/*
One alert as the values change it, as a JSON array: once for each Ray cluster if it says $rayService, or for each model of
`ray-vllm-stack.observability.standaloneModels` if it says $standaloneModel, and not at all if it is not enabled, is about a gateway that is off, or needs a switch that is off.
usage: include "ray-vllm-stack.observability.rule" (dict "root" $ "rule" <alert>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.observability.rule" -}}
{{- $root := .root }}
{{- $own := get $root.Values.metrics.rules.alerts .rule.alert | default dict | toJson | fromJson }}
{{- $wanted := and (ne (toString $own.enabled) "false") (or $root.Values.gateway.enabled (not (hasPrefix "Gateway" .rule.alert))) }}
{{- with .rule.needs }}
  {{- $wanted = and $wanted (include "ray-vllm-stack.observability.value" (dict "values" $root.Values "path" .) | eq "true") }}
{{- end }}
{{- $labels := include "ray-vllm-stack.merge.layers" (dict "under" .rule.labels "over" ($own.labels | default dict) "free" true) | fromJson }}
{{- $url := printf "%s#%s" $root.Values.metrics.rules.runbookUrl (lower .rule.alert) }}
{{- $rule := mergeOverwrite .rule (dict "for" ($own.for | default .rule.for) "annotations" (dict "runbook_url" $url)) }}
{{- $threshold := kindIs "float64" $own.threshold | ternary $own.threshold $rule.threshold | toString }}
{{- $_ := set $rule "labels" $labels }}
{{- $_ := set $rule "expr" (replace "$threshold" $threshold $rule.expr) }}
{{- $rule = omit $rule "needs" "threshold" }}
{{- $rules := list }}
{{- if not $wanted }}
{{- else if contains "$rayService" $rule.expr }}
  {{- range $root.Values.resolved.used }}
    {{- $name := (get $root.Values.resolved.clusters .).rayService }}
    {{- $rules = append $rules (toJson $rule | replace "$rayService" $name | fromJson) }}
  {{- end }}
{{- else if contains "$standaloneModel" $rule.expr }}
  {{- range include "ray-vllm-stack.observability.standaloneModels" $root | fromJsonArray }}
    {{- $rules = append $rules (toJson $rule | replace "$standaloneModel" . | fromJson) }}
  {{- end }}
{{- else }}
  {{- $rules = list $rule }}
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
