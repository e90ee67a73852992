{{/*
What the pod is told of its model, as JSON: the `args` that the model's Serve application has on Ray, so that moving it
changes none of them.
usage: include "ray-vllm-stack.standalone.settings" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.settings" -}}
{{- $args := (include "ray-vllm-stack.serving.application" . | fromYaml).args }}
{{- if .model.parallelism.expert }}
  {{- $_ := set $args "engine" (merge dict ($args.engine | default dict) (dict "enable_expert_parallel" true)) }}
{{- end }}
{{- toPrettyJson $args }}
{{- end }}
