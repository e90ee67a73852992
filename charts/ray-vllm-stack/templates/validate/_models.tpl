{{/*
Guards of the models.
usage: include "ray-vllm-stack.validate.models" $
*/}}
{{- define "ray-vllm-stack.validate.models" -}}
{{- range $id, $model := .Values.resolved.models }}
{{- $context := dict "root" $ "id" $id "model" $model }}
{{ include "ray-vllm-stack.validate.model.source" $context }}
{{ include "ray-vllm-stack.validate.model.fit" $context }}
{{ include "ray-vllm-stack.validate.model.replicas" $context }}
{{ include "ray-vllm-stack.validate.model.placement" $context }}
{{ include "ray-vllm-stack.validate.model.share" $context }}
{{- if and $model.roles (hasKey (default dict $model.price) "cachedPerMillion") }}
models.{{ $id }}.price.cachedPerMillion: is set, but the model has roles, and decode reports as cached all that prefill has computed for it, leave it out
{{- end }}
{{ include "ray-vllm-stack.validate.model.standalone" $context }}
{{ include "ray-vllm-stack.validate.model.engine" $context }}
{{ include "ray-vllm-stack.validate.model.routing" $context }}
{{ include "ray-vllm-stack.validate.model.adapters" $context }}
{{ include "ray-vllm-stack.validate.model.env" $context }}
{{ include "ray-vllm-stack.validate.model.drain" $context }}
{{ include "ray-vllm-stack.validate.exact" (dict "path" (printf "models.%s.engine" $id) "value" $model.engine) }}
{{ include "ray-vllm-stack.validate.exact" (dict "path" (printf "models.%s.roles" $id) "value" $model.roles) }}
{{- end }}
{{- end }}

{{/*
Guards of where a model's weights come from.
usage: include "ray-vllm-stack.validate.model.source" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.source" -}}
{{- $forms := "hf://ORG/NAME, s3://BUCKET/PATH, gs://BUCKET/PATH, azure://CONTAINER@ACCOUNT.blob.core.windows.net/PATH, pvc://CLAIM/PATH or an absolute path" }}
{{- if not .model.source }}
models.{{ .id }}.source: is empty, say where the weights are: {{ $forms }}
{{- else if not (regexMatch "^(hf|s3|gs|azure|abfss|pvc)://[^/ ]+|^/[^ ]+" .model.source) }}
models.{{ .id }}.source: is "{{ .model.source }}", write it as {{ $forms }}
{{- end }}
{{- if regexMatch "^pvc://[^/]*/*$" .model.source }}
models.{{ .id }}.source: is "{{ .model.source }}", which names no folder of the claim, write {{ trimSuffix "/" .model.source }}/PATH, with a . as the PATH for all of the claim
{{- end }}
{{- if and .model.revision (not (hasPrefix "hf://" .model.source)) }}
models.{{ .id }}.revision: is "{{ .model.revision }}", but only an hf:// source has revisions, leave it empty
{{- end }}
{{- end }}

{{/*
Guards of a model's scaling, that of its roles too.
usage: include "ray-vllm-stack.validate.model.replicas" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.replicas" -}}
{{- range .model.parts }}
{{- $path := printf "models.%s.%sreplicas" $.id (ternary (printf "roles.%s." .role) "" (ne .role "")) }}
{{- $replicas := .replicas }}
{{- if lt (int $replicas.max) 1 }}
{{ $path }}.max: is {{ int $replicas.max }}, make it at least 1, or set models.{{ $.id }}.enabled to false
{{- else if gt (int $replicas.min) (int $replicas.max) }}
{{ $path }}.min: is {{ int $replicas.min }} and max is {{ int $replicas.max }}, lower min or raise max
{{- else if hasKey $replicas "initial" }}
{{- if or (lt (int $replicas.initial) (int $replicas.min)) (gt (int $replicas.initial) (int $replicas.max)) }}
{{ $path }}.initial: is {{ int $replicas.initial }}, bring it between min, {{ int $replicas.min }}, and max, {{ int $replicas.max }}
{{- end }}
{{- end }}
{{- if gt (float64 $replicas.targetOngoingRequests) (float64 $replicas.maxOngoingRequests) }}
{{ $path }}.targetOngoingRequests: is {{ $replicas.targetOngoingRequests }} and maxOngoingRequests is {{ int $replicas.maxOngoingRequests }}, so that load would never add a replica, lower it or raise maxOngoingRequests
{{- end }}
{{- if and (hasKey $replicas "downscaleToZeroDelaySeconds") (gt (int $replicas.min) 0) }}
{{ $path }}.downscaleToZeroDelaySeconds: is set, but min is {{ int $replicas.min }}, set min to 0, or clear it
{{- end }}
{{- if and .role (eq (int $replicas.min) 0) }}
{{ $path }}.min: is 0, but a request starts no prefill while it waits for decode, make it at least 1
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of how a replica is chosen.
usage: include "ray-vllm-stack.validate.model.routing" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.routing" -}}
{{- $policy := .model.routing.policy }}
{{- $ingress := last .model.parts }}
{{- if and (eq $policy "prefix-affinity") (ne .model.task "generate") }}
models.{{ .id }}.routing.policy: is prefix-affinity, but a model for {{ .model.task }} has no prefix cache that prompts could share, use least-requests
{{- end }}
{{- if and (ne $policy "least-requests") (eq (mul (int $ingress.replicas.max) (int $ingress.ranks) | int) 1) }}
models.{{ .id }}.routing.policy: is {{ $policy }}, but there is one replica at most and nothing to choose, use least-requests or raise replicas.max
{{- end }}
{{- end }}

{{/*
Guards of a model's LoRA adapters.
usage: include "ray-vllm-stack.validate.model.adapters" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.adapters" -}}
{{- if and .model.adapters (not .model.engine.enable_lora) }}
models.{{ .id }}.adapters: are set, but engine.enable_lora is not, set it to true; that rolls the model once, and later adapters roll nothing
{{- end }}
{{- if and .model.adapters (ne .model.task "generate") }}
models.{{ .id }}.adapters: are set, but the model is for {{ .model.task }}, leave them out
{{- end }}
{{- end }}

{{/*
Guards of the engine arguments that the chart sets itself.
usage: include "ray-vllm-stack.validate.model.engine" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.engine" -}}
{{- $instead := dict
  "model" (printf "models.%s.source" .id)
  "served_model_name" (printf "models.%s.servedNames" .id)
  "revision" (printf "models.%s.revision" .id)
  "tensor_parallel_size" (printf "models.%s.parallelism.tensor" .id)
  "pipeline_parallel_size" (printf "models.%s.parallelism.pipeline" .id)
  "data_parallel_size" (printf "models.%s.parallelism.data" .id)
  "enable_expert_parallel" (printf "models.%s.parallelism.expert" .id)
  "lora_modules" (printf "models.%s.adapters" .id)
  "download_dir" "clusterDefaults.storage.modelCache"
  "hf_token" "clusterDefaults.storage.huggingFaceToken"
  "api_key" "auth" }}
{{- range $part := .model.parts }}
{{- $path := printf "models.%s.%sengine" $.id (ternary (printf "roles.%s." .role) "" (ne .role "")) }}
{{- range $key, $use := $instead }}
{{- if hasKey $part.engine $key }}
{{ $path }}.{{ $key }}: is set by the chart, use {{ $use }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guard of large numbers anywhere in a value: Helm reads them as floating point, and would pass on another one in silence.
usage: include "ray-vllm-stack.validate.exact" (dict "path" "models.a.engine" "value" <map>)
*/}}
{{- define "ray-vllm-stack.validate.exact" -}}
{{- $exact := 9007199254740991.0 }}
{{- if or (kindIs "map" .value) (kindIs "slice" .value) }}
{{- range $key, $value := .value }}
{{ include "ray-vllm-stack.validate.exact" (dict "path" (printf "%s.%v" $.path $key) "value" $value) }}
{{- end }}
{{- else if kindIs "float64" .value }}
{{- if or (gt .value $exact) (lt .value (mulf $exact -1)) }}
{{ .path }}: is beyond {{ printf "%.0f" $exact }}, up to which Helm keeps numbers as they are written, use one nearer to 0
{{- end }}
{{- end }}
{{- end }}
