{{/*
What the pod is told of its model, as JSON: the `args` that the model's Serve application has on Ray, so that moving it
changes none of them.
usage: include "ray-vllm-stack.standalone.settings" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.settings" -}}
{{- include "ray-vllm-stack.serving.args" . | fromYaml | toPrettyJson }}
{{- end }}
