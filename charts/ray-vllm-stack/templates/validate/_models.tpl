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
{{ include "ray-vllm-stack.validate.model.engine" $context }}
{{ include "ray-vllm-stack.validate.model.env" $context }}
{{ include "ray-vllm-stack.validate.model.drain" $context }}
{{ include "ray-vllm-stack.validate.exact" (dict "path" (printf "models.%s.engine" $id) "value" $model.engine) }}
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
Guards of a model's scaling.
usage: include "ray-vllm-stack.validate.model.replicas" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.replicas" -}}
{{- $replicas := .model.replicas }}
{{- if lt (int $replicas.max) 1 }}
models.{{ .id }}.replicas.max: is {{ int $replicas.max }}, make it at least 1, or set models.{{ .id }}.enabled to false
{{- else if gt (int $replicas.min) (int $replicas.max) }}
models.{{ .id }}.replicas.min: is {{ int $replicas.min }} and max is {{ int $replicas.max }}, lower min or raise max
{{- end }}
{{- if gt (float64 $replicas.targetOngoingRequests) (float64 $replicas.maxOngoingRequests) }}
models.{{ .id }}.replicas.targetOngoingRequests: is {{ $replicas.targetOngoingRequests }} and maxOngoingRequests is {{ int $replicas.maxOngoingRequests }}, so that load would never add a replica, lower it or raise maxOngoingRequests
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
  "download_dir" "clusterDefaults.storage.modelCache"
  "hf_token" "clusterDefaults.storage.huggingFaceToken"
  "api_key" "auth" }}
{{- range $key, $use := $instead }}
{{- if hasKey $.model.engine $key }}
models.{{ $.id }}.engine.{{ $key }}: is set by the chart, use {{ $use }}
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
