{{/*
The Ray clusters by name, as JSON: entries over `clusterDefaults`, with the name of the RayService, the URL of its Serve
(KubeRay makes the Service once the cluster is ready), its models, worker groups, image, ServiceAccounts, and the claims
with weights and graphs, and its pipelines. Standalone models that name a cluster take its storage, image and account, and are apart from its models.
usage: include "ray-vllm-stack.resolve.clusters" (dict "root" $ "models" … "pipelines" … "platforms" … "classes" …) | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.clusters" -}}
{{- $root := .root }}
{{- $clusters := dict }}
{{- range $name, $cluster := $root.Values.clusters }}
  {{- if kindIs "map" $cluster }}
    {{- $service := printf "%s-%s" (include "ray-vllm-stack.fullname" $root) $name }}
    {{- $more := dict "name" $name "rayService" $service "models" dict "standalone" dict "platform" "" "claims" list
      "url" (printf "http://%s-serve-svc.%s.svc:8000" $service $root.Release.Namespace) }}
    {{- $entry := dict "defaults" $root.Values.clusterDefaults "entry" $cluster "more" $more }}
    {{- $cluster := include "ray-vllm-stack.merge.entry" $entry | fromJson }}
    {{- if and (eq $cluster.upgradeStrategy.type "incremental") $cluster.upgradeStrategy.incremental.url }}
      {{- $_ := trimSuffix "/" $cluster.upgradeStrategy.incremental.url | set $cluster "url" }}
    {{- end }}
    {{- range $id, $model := $.models }}
      {{- if and (eq $model.cluster $name) (eq $model.runtime "standalone") }}
        {{- $_ := set $cluster.standalone $id $model }}
      {{- else if eq $model.cluster $name }}
        {{- $_ := set $cluster.models $id $model }}
        {{- $class := get $.classes $model.accelerator | default dict }}
        {{- $_ := set $cluster "platform" ($cluster.platform | default $class.platform | default "") }}
        {{- $claims := include "ray-vllm-stack.model.claims" $model | fromJsonArray }}
        {{- $_ := set $cluster "claims" (concat $cluster.claims $claims | uniq | sortAlpha) }}
      {{- end }}
    {{- end }}
    {{- include "ray-vllm-stack.resolve.clusterPipelines" (dict "cluster" $cluster "pipelines" $.pipelines) }}
    {{- $_ := include "ray-vllm-stack.resolve.groups" (dict "cluster" $cluster "classes" $.classes) | fromJsonArray | set $cluster "groups" }}
    {{- $platform := get $.platforms $cluster.platform | default dict }}
    {{- $_ := set $cluster "imageReference" (include "ray-vllm-stack.resolve.image" (dict "root" $root "image" $cluster.image "platform" $platform)) }}
    {{- $_ := include "ray-vllm-stack.resolve.accounts" $cluster | fromJson | set $cluster "accounts" }}
    {{- $_ := set $clusters $name $cluster }}
  {{- end }}
{{- end }}
{{- toJson $clusters }}
{{- end }}

{{/*
Reference of a cluster's serve image. Where the values name no tag it is the serve image's version for the platform.
usage: include "ray-vllm-stack.resolve.image" (dict "root" $ "image" <image> "platform" <platform>)
*/}}
{{- define "ray-vllm-stack.resolve.image" -}}
{{- $version := (include "ray-vllm-stack.versions" .root | fromJson).serveImage }}
{{- $tag := printf "%s-%s" $version (.platform.imageTag | default "cuda") }}
{{- include "ray-vllm-stack.image" (dict "root" .root "image" .image "tag" $tag) }}
{{- end }}

{{/*
Names of a cluster's ServiceAccounts by role, as JSON. KubeRay names its Role after the head's, and clips that at 50.
usage: include "ray-vllm-stack.resolve.accounts" <cluster> | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.accounts" -}}
{{- $accounts := dict }}
{{- range $role, $account := .serviceAccounts }}
  {{- $name := include "ray-vllm-stack.name.short" (dict "name" (printf "%s-%s" $.rayService $role) "max" 50) }}
  {{- $_ := set $accounts $role ($account.name | default $name) }}
{{- end }}
{{- toJson $accounts }}
{{- end }}
