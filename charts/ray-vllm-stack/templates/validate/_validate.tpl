{{/*
Fails with every problem that a schema cannot see, one sentence each:
ERROR: <values path>: <what is wrong>, <what to do>. The guards are in validate/_<area>.tpl.
usage: include "ray-vllm-stack.validate" $
*/}}
{{- define "ray-vllm-stack.validate" -}}
{{- $problems := list }}
{{- range list "release" "models" "pipelines" "jobs" "names" "providers" "routes" "clusters" "accelerators" "gateway" "auth" "metrics" "data" "capacity" "accounts" }}
  {{- range include (printf "ray-vllm-stack.validate.%s" .) $ | splitList "\n" }}
    {{- with trim . }}
      {{- $problems = append $problems (printf "ERROR: %s" .) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if $problems }}
  {{- fail (printf "\n%s" (join "\n" $problems)) }}
{{- end }}
{{- end }}
