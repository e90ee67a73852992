{{/*
Guards of who may use the gateway.
usage: include "ray-vllm-stack.validate.auth" $
*/}}
{{- define "ray-vllm-stack.validate.auth" -}}
{{- $teams := include "ray-vllm-stack.merge.withoutNulls" .Values.auth.teams | fromJson }}
{{- $keys := include "ray-vllm-stack.merge.withoutNulls" .Values.auth.apiKeys | fromJson }}
{{- $names := include "ray-vllm-stack.validate.auth.names" . | fromJsonArray }}
{{- range $name, $team := $teams }}
{{ include "ray-vllm-stack.validate.auth.models" (dict "names" $names "path" (printf "auth.teams.%s" $name) "policy" $team) }}
{{- end }}
{{- $hashes := dict }}
{{- range $name, $key := $keys }}
{{- if eq $name "oidc" }}
auth.apiKeys.oidc: is the name of those who come with a token, rename the key
{{- end }}
{{- range $field := list "hash" "previousHash" }}
{{- with get $key $field }}
{{- if ne (get $hashes . | default $name) $name }}
auth.apiKeys.{{ $name }}.{{ $field }}: is that of {{ get $hashes . }}, which the gateway would refuse both, make each key its own
{{- end }}
{{- $_ := set $hashes . $name }}
{{- end }}
{{- end }}
{{ include "ray-vllm-stack.validate.auth.key" (dict "path" (printf "auth.apiKeys.%s" $name) "key" $key "teams" $teams) }}
{{ include "ray-vllm-stack.validate.auth.models" (dict "names" $names "path" (printf "auth.apiKeys.%s" $name) "policy" $key) }}
{{- if and $key $.Values.auth.existingSecret }}
auth.apiKeys.{{ $name }}: is not used, because auth.existingSecret has all keys, put it there or clear existingSecret
{{- end }}
{{- end }}
{{ include "ray-vllm-stack.validate.auth.cost" (dict "root" . "teams" $teams "apiKeys" $keys) }}
{{ include "ray-vllm-stack.validate.auth.oidc" .Values.auth }}
{{- end }}

{{/*
Guards of one API key.
usage: include "ray-vllm-stack.validate.auth.key" (dict "path" "auth.apiKeys.ci" "key" <key> "teams" <map>)
*/}}
{{- define "ray-vllm-stack.validate.auth.key" -}}
{{- with .key }}
{{- if and .team (not (hasKey $.teams .team)) }}
{{ $.path }}.team: there is no team "{{ .team }}", add it to auth.teams
{{- end }}
{{- if and .previousHash (not .hash) }}
{{ $.path }}.previousHash: is set, but hash is empty, and the chart makes no second text, set hash too
{{- end }}
{{- if .expires }}
{{- $layout := ternary "2006-01-02T15:04:05Z07:00" "2006-01-02" (contains "T" .expires) }}
{{- if (toDate $layout .expires).IsZero }}
{{ $.path }}.expires: is "{{ .expires }}", which is no date, write it as 2027-01-31 or 2027-01-31T12:00:00Z
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guard of limits in money: with no price anywhere nothing would ever count.
usage: include "ray-vllm-stack.validate.auth.cost" (dict "root" $ "teams" <map> "apiKeys" <map>)
*/}}
{{- define "ray-vllm-stack.validate.auth.cost" -}}
{{- $resolved := .root.Values.resolved }}
{{- $priced := false }}
{{- range concat (values $resolved.models) (values $resolved.pipelines) (values $resolved.providers) }}
  {{- $priced = or $priced (ne (len (.price | default dict)) 0) }}
{{- end }}
{{- range $kind := list "teams" "apiKeys" }}
{{- range $name, $policy := get $ $kind }}
{{- if and $policy.monthlyCost (not $priced) }}
auth.{{ $kind }}.{{ $name }}.monthlyCost: counts nothing, since no model and no provider has a price, give them one or use monthlyTokens
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
What a key or team may ask for, as a sorted JSON array of names.
usage: include "ray-vllm-stack.validate.auth.names" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.validate.auth.names" -}}
{{- $models := .Values.resolved.models }}
{{- $adapters := .Values.resolved.adapters }}
{{- $routes := .Values.resolved.routes }}
{{- $pipelines := .Values.resolved.pipelines }}
{{- concat (keys $models) (keys $pipelines) (keys .Values.resolved.servedNames) (keys $adapters) (keys $routes) | uniq | sortAlpha | toJson }}
{{- end }}

{{/*
Guards of the models that a key or team may ask for.
usage: include "ray-vllm-stack.validate.auth.models" (dict "names" <list> "path" "auth.teams.search" "policy" <team>)
*/}}
{{- define "ray-vllm-stack.validate.auth.models" -}}
{{- if and (hasKey .policy "models") (not .policy.models) }}
{{ .path }}.models: is empty, so that nothing may be asked for, name models or routes, or leave it out for all of them
{{- end }}
{{- range .policy.models }}
{{- if not (has . $.names) }}
{{ $.path }}.models: there is no model, adapter or route "{{ . }}", use some of: {{ join ", " $.names }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of the identity provider.
usage: include "ray-vllm-stack.validate.auth.oidc" .Values.auth
*/}}
{{- define "ray-vllm-stack.validate.auth.oidc" -}}
{{- with .oidc }}
{{- if .enabled }}
{{- if not $.enabled }}
auth.oidc.enabled: is true, but auth.enabled is false, so that nobody is asked for a token, set auth.enabled to true
{{- end }}
{{- if not (hasPrefix "https://" .issuer) }}
auth.oidc.issuer: is "{{ .issuer }}", give the https URL that the tokens have as iss
{{- end }}
{{- if not .audience }}
auth.oidc.audience: is empty, so that tokens for anything would do, name the audience that tokens for this gateway have
{{- end }}
{{- if and .requireTeam (not .teamClaim) }}
auth.oidc.requireTeam: is true, but teamClaim is empty, so that every token would be refused, name the claim
{{- end }}
{{- end }}
{{- end }}
{{- end }}
