{{/*
Rendered YAML with raw `spec` maps of the values merged over it, one after the other, as YAML.
usage: include "ray-vllm-stack.spec.apply" (dict "text" <YAML> "specs" (list .Values.gateway.spec))
*/}}
{{- define "ray-vllm-stack.spec.apply" -}}
{{- $base := fromYaml .text }}
{{- if hasKey $base "Error" }}
{{- fail (printf "the chart rendered bad YAML, please report it: %s\n%s" $base.Error .text) }}
{{- end }}
{{- range .specs }}
  {{- $base = include "ray-vllm-stack.spec.merge" (dict "base" $base "over" (. | default dict)) | fromJson }}
{{- end }}
{{- toYaml $base }}
{{- end }}

{{/*
Merges one map over another, as JSON, as `kubectl apply` would: maps by key, lists by the key of
`ray-vllm-stack.spec.identity`, one-of groups replaced whole; other lists and values are replaced, and null removes a key.
usage: include "ray-vllm-stack.spec.merge" (dict "base" <map> "over" <map>) | fromJson
*/}}
{{- define "ray-vllm-stack.spec.merge" -}}
{{- $out := deepCopy .base }}
{{- include "ray-vllm-stack.spec.oneOf" (dict "base" $out "over" .over) }}
{{- range $key, $over := .over }}
  {{- $base := get $out $key }}
  {{- if kindIs "invalid" $over }}
    {{- $_ := unset $out $key }}
  {{- else if and (kindIs "map" $over) (kindIs "map" $base) }}
    {{- $_ := include "ray-vllm-stack.spec.merge" (dict "base" $base "over" $over) | fromJson | set $out $key }}
  {{- else if and (kindIs "slice" $over) (kindIs "slice" $base) }}
    {{- $lists := dict "base" $base "over" $over "name" $key }}
    {{- $_ := include "ray-vllm-stack.spec.mergeList" $lists | fromJsonArray | set $out $key }}
  {{- else }}
    {{- $_ := set $out $key $over }}
  {{- end }}
{{- end }}
{{- toJson $out }}
{{- end }}

{{/*
Removes from a map what excludes what is merged over it: a volume has one source, a variable a value or a reference, a
probe one handler, a strategy the options of its type.
usage: include "ray-vllm-stack.spec.oneOf" (dict "base" <map, changed> "over" <map>)
*/}}
{{- define "ray-vllm-stack.spec.oneOf" -}}
{{- $volume := list "configMap" "csi" "downwardAPI" "emptyDir" "ephemeral" "fc" "hostPath" "image" "iscsi" "nfs"
  "persistentVolumeClaim" "projected" "secret" }}
{{- $groups := list $volume
  (list "value" "valueFrom")
  (list "configMapKeyRef" "fieldRef" "fileKeyRef" "resourceFieldRef" "secretKeyRef")
  (list "exec" "grpc" "httpGet" "sleep" "tcpSocket")
  (list "maxUnavailable" "minAvailable") }}
{{- range $group := $groups }}
  {{- range $chosen := $group }}
    {{- if and (hasKey $.over $chosen) (not (kindIs "invalid" (get $.over $chosen))) }}
      {{- range without $group $chosen }}{{ $_ := unset $.base . }}{{ end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if and (hasKey .base "rollingUpdate") (ne (.over.type | default "RollingUpdate") "RollingUpdate") }}
  {{- $_ := unset .base "rollingUpdate" }}
{{- end }}
{{- end }}

{{/*
Merges one list over another, as JSON: elements that are the same object are merged, `$patch: delete` removes one, others
are appended. A list with elements that cannot be told apart (text, rules without names) is replaced.
usage: include "ray-vllm-stack.spec.mergeList" (dict "base" <list> "over" <list> "name" "containers") | fromJsonArray
*/}}
{{- define "ray-vllm-stack.spec.mergeList" -}}
{{- $merged := dict }}
{{- $order := list }}
{{- $known := true }}
{{- range concat .base .over }}
  {{- $id := include "ray-vllm-stack.spec.identity" (dict "list" $.name "element" .) }}
  {{- $known = and $known (ne $id "") }}
  {{- if $known }}
    {{- $order = append $order $id }}
    {{- if eq (get . "$patch") "delete" }}
      {{- $_ := unset $merged $id }}
    {{- else }}
      {{- $pair := dict "base" (get $merged $id | default dict) "over" . }}
      {{- $_ := include "ray-vllm-stack.spec.merge" $pair | fromJson | set $merged $id }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $out := list }}
{{- range uniq $order }}
  {{- if hasKey $merged . }}{{ $out = append $out (get $merged .) }}{{ end }}
{{- end }}
{{- toJson (ternary $out .over $known) }}
{{- end }}

{{/*
What tells the elements of a list apart, or nothing. The keys are those of Kubernetes, KubeRay and Karpenter.
usage: include "ray-vllm-stack.spec.identity" (dict "list" "tolerations" "element" <element>)
*/}}
{{- define "ray-vllm-stack.spec.identity" -}}
{{- $keys := dict
  "blockDeviceMappings" "deviceName"
  "hostAliases" "ip"
  "parentRefs" "name namespace sectionName"
  "requirements" "key"
  "taints" "key effect"
  "tolerations" "key effect"
  "topologySpreadConstraints" "topologyKey"
  "volumeDevices" "devicePath"
  "volumeMounts" "mountPath"
  "workerGroupSpecs" "groupName" }}
{{- if kindIs "map" .element }}
  {{- $of := get $keys .list | default "name" | splitList " " }}
  {{- if and (eq .list "ports") (not .element.name) }}{{ $of = list "containerPort" }}{{ end }}
  {{- if or (hasKey .element (first $of)) (eq .list "tolerations") }}
    {{- range $of }}{{ printf "%s=%v;" . (get $.element .) }}{{ end }}
  {{- end }}
{{- end }}
{{- end }}
