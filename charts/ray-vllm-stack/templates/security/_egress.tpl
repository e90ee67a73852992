{{/*
Ports of the URLs in `env` maps, such as of a store, a mirror or a proxy, as a sorted JSON array.
usage: include "ray-vllm-stack.security.envPorts" (list <env> …) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.security.envPorts" -}}
{{- $ports := list }}
{{- range $env := . }}
  {{- range $name, $value := $env }}
    {{- $value = ternary (get (kindIs "map" $value | ternary $value dict) "value") $value (kindIs "map" $value) | toString }}
    {{- if regexMatch "^https?://" $value }}
      {{- $ports = append $ports (include "ray-vllm-stack.url.port" $value | int) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $ports | uniq | sortAlpha | toJson }}
{{- end }}

{{/*
Egress rules from a cluster's Ray pods to where its weights are, beyond HTTPS, as a YAML list: ports of the URLs in `env`,
and for gs:// Google's metadata server, which gives Workload Identity its tokens.
usage: include "ray-vllm-stack.security.storeEgress" (dict "root" $ "cluster" <cluster>)
*/}}
{{- define "ray-vllm-stack.security.storeEgress" -}}
{{- $envs := list .root.Values.podDefaults.env .cluster.env }}
{{- $google := false }}
{{- range .cluster.models }}
  {{- $envs = append $envs .env }}
  {{- range include "ray-vllm-stack.model.sources" . | fromJsonArray }}
    {{- $google = or $google (hasPrefix "gs://" .) }}
  {{- end }}
{{- end }}
{{- range include "ray-vllm-stack.security.envPorts" $envs | fromJsonArray }}
{{- if not (has (int .) (list 443 6443)) }}
- ports: [{port: {{ int . }}}]
{{- end }}
{{- end }}
{{- if $google }}
- ports: [{port: 80}, {port: 988}]
  to:
    - ipBlock: {cidr: 169.254.169.254/32}
    - ipBlock: {cidr: 169.254.169.252/32}
{{- end }}
{{- end }}
