{{/*
A model's cluster as its standalone pods see it, as JSON: its storage, account and variables, the claim of this model
alone, and the image for this model's platform.
usage: include "ray-vllm-stack.standalone.cluster" (dict "root" $ "model" <model>) | fromJson
*/}}
{{- define "ray-vllm-stack.standalone.cluster" -}}
{{- $resolved := .root.Values.resolved }}
{{- $cluster := omit (get $resolved.clusters .model.cluster) "models" "standalone" "groups" }}
{{- $platform := get $resolved.platforms (get $resolved.classes .model.accelerator).platform }}
{{- $image := dict "root" .root "image" $cluster.image "platform" $platform }}
{{- $_ := set $cluster "claims" (include "ray-vllm-stack.model.claims" .model | fromJsonArray) }}
{{- $_ := set $cluster "imageReference" (include "ray-vllm-stack.resolve.image" $image) }}
{{- toJson $cluster }}
{{- end }}

{{/*
Devices of a standalone model's pod: as many as its replica has ranks, which all are in one pod.
usage: include "ray-vllm-stack.standalone.devices" <model> | int
*/}}
{{- define "ray-vllm-stack.standalone.devices" -}}
{{- int .parallelism.tensor }}
{{- end }}

{{/*
Whether something adds and removes a standalone model's replicas: "hpa", "keda" or nothing.
usage: include "ray-vllm-stack.standalone.autoscaler" <model>
*/}}
{{- define "ray-vllm-stack.standalone.autoscaler" -}}
{{- if gt (int .replicas.max) (int .replicas.min) }}
{{- .standalone.autoscaling.kind }}
{{- end }}
{{- end }}
