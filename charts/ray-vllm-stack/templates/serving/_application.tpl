{{/*
One model as a Ray Serve application. `args` are part of the application's code version: an edit of them replaces the
model's replicas. So no scaling knob is among them, and optional ones are left out while they are empty.
usage: include "ray-vllm-stack.serving.application" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.serving.application" -}}
{{- $class := get .root.Values.resolved.classes .model.accelerator }}
{{- $versions := include "ray-vllm-stack.versions" .root | fromJson -}}
name: {{ .model.id | quote }}
route_prefix: {{ printf "/models/%s" .model.id | quote }}
import_path: serve_app.models:build_app
args:
  model_id: {{ .model.id | quote }}
  source: {{ .model.source | quote }}
  {{- with .model.revision }}
  revision: {{ . | quote }}
  {{- end }}
  accelerator:
    platform: {{ $class.platform }}
    class: {{ .model.accelerator | quote }}
  tensor_parallel: {{ int .model.parallelism.tensor }}
  {{- if ne .model.task "generate" }}
  task: {{ .model.task }}
  {{- end }}
  {{- with .model.engine }}
  engine:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .model.env }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  versions:
    ray: {{ $versions.ray | quote }}
    vllm: {{ $versions.vllm | quote }}
deployments:
  - {{ include "ray-vllm-stack.serving.deployment" . | indent 4 | trim }}
{{- end }}
