{{/*
Guard of how long a model's answers may take when their pod has to go. A standalone model's pods have the time that it says.
usage: include "ray-vllm-stack.validate.model.drain" (dict "root" $ "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.drain" -}}
{{- with get .root.Values.resolved.classes .model.accelerator }}
{{- if and .drainSeconds (ne $.model.runtime "standalone") (gt (int $.model.rollout.drainSeconds) (int .drainSeconds)) }}
models.{{ $.id }}.rollout.drainSeconds: is {{ int $.model.rollout.drainSeconds }}, longer than accelerators.{{ .name }}.drainSeconds ({{ int .drainSeconds }}), after which a pod is gone, lower it or raise that
{{- end }}
{{- end }}
{{- end }}
