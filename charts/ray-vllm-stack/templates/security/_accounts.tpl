{{/*
The ServiceAccounts in use, as a JSON array of {"path", "role", "cluster", "name", "values"}. Each Ray cluster has its own
two, so that a cloud's role for one opens nothing to the others; with standalone models alone it has only the workers'.
usage: include "ray-vllm-stack.security.accounts" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.security.accounts" -}}
{{- $accounts := list }}
{{- if .Values.gateway.enabled }}
  {{- $name := include "ray-vllm-stack.security.gatewayAccount" . }}
  {{- $accounts = append $accounts (dict "path" "gateway.serviceAccount" "role" "gateway" "name" $name "values" .Values.gateway.serviceAccount) }}
{{- end }}
{{- range $cluster := .Values.resolved.clusters }}
  {{- $roles := ternary (list "worker") list (gt (len $cluster.standalone) 0) }}
  {{- $used := has $cluster.name $.Values.resolved.used }}
  {{- range $.Values.resolved.jobs }}{{ $used = or $used (and .enabled (eq .modelCluster $cluster.name)) }}{{ end }}
  {{- if $used }}{{ $roles = list "head" "worker" }}{{ end }}
  {{- range $role := $roles }}
    {{- $values := get $cluster.serviceAccounts $role }}
    {{- $path := printf "clusters.%s.serviceAccounts.%s" $cluster.name $role }}
    {{- $accounts = append $accounts (dict "path" $path "role" $role "cluster" $cluster.name "name" (get $cluster.accounts $role) "values" $values) }}
  {{- end }}
{{- end }}
{{- if include "ray-vllm-stack.redis.enabled" . }}
  {{- $name := include "ray-vllm-stack.security.redisAccount" . }}
  {{- $accounts = append $accounts (dict "path" "redis.serviceAccount" "role" "redis" "name" $name "values" .Values.redis.serviceAccount) }}
{{- end }}
{{- if .Values.data.enabled }}
  {{- $name := include "ray-vllm-stack.security.dataAccount" . }}
  {{- $accounts = append $accounts (dict "path" "data.serviceAccount" "role" "data" "name" $name "values" .Values.data.serviceAccount) }}
{{- end }}
{{- toJson $accounts }}
{{- end }}

{{/*
Name of the gateway's ServiceAccount.
usage: include "ray-vllm-stack.security.gatewayAccount" $
*/}}
{{- define "ray-vllm-stack.security.gatewayAccount" -}}
{{- .Values.gateway.serviceAccount.name | default (include "ray-vllm-stack.gateway.name" .) }}
{{- end }}

{{/*
Name of the embedded Redis's ServiceAccount.
usage: include "ray-vllm-stack.security.redisAccount" $
*/}}
{{- define "ray-vllm-stack.security.redisAccount" -}}
{{- .Values.redis.serviceAccount.name | default (include "ray-vllm-stack.redis.name" .) }}
{{- end }}

{{/*
Name of the data component's ServiceAccount.
usage: include "ray-vllm-stack.security.dataAccount" $
*/}}
{{- define "ray-vllm-stack.security.dataAccount" -}}
{{- .Values.data.serviceAccount.name | default (include "ray-vllm-stack.data.name" .) }}
{{- end }}
