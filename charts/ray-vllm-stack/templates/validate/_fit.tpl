{{/*
Guard of the memory that a model's weights take, of each role where there are roles. Nothing is refused that is not known:
models without `weights`, classes without `deviceMemory`, and engines that keep a part of the weights in the pod's memory.
usage: include "ray-vllm-stack.validate.model.fit" (dict "root" $ "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.fit" -}}
{{- $class := get .root.Values.resolved.classes .model.accelerator | default dict }}
{{- if and .model.weights.billionParameters $class.resource $class.deviceMemory }}
{{- $weights := divf (mulf .model.weights.billionParameters .model.weights.bytesPerParameter 1e9) 1073741824 }}
{{- range .model.parts }}
  {{- $role := .role }}
  {{- $part := merge (pick . "parallelism" "engine") (dict "weights" $weights "class" $class "share" (float64 $.model.acceleratorShare)) }}
  {{- $offloaded := or $part.engine.cpu_offload_gb $part.engine.offload_group_size }}
  {{- if and (not $offloaded) (not (include "ray-vllm-stack.fit.fits" $part)) }}
models.{{ $.id }}.{{ ternary (printf "roles.%s" $role) "accelerator" (ne $role "") }}: {{ include "ray-vllm-stack.fit.sentence" (merge (dict "root" $.root) $part) }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
GiB that the engine may use on the devices that hold one copy of the weights: of the devices' memory, vLLM's
`gpu_memory_utilization`, which is 0.92 by default, and 0.9 of a share. With `kv_cache_memory_bytes` it is not asked.

Each data parallel rank has a copy of its own. With `expert` the experts are spread over all ranks, and are nearly all of
such a model; the rest of it (attention, shared experts) has a copy in each rank, which is not counted, as its size is not
known: what is refused does not fit, what is not refused may lack that much.
usage: include "ray-vllm-stack.fit.used" (dict "class" <class> "parallelism" <parallelism> "engine" <engine> "share" 1.0) | float64
*/}}
{{- define "ray-vllm-stack.fit.used" -}}
{{- $used := mulf .share (ternary 0.9 0.92 (lt .share 1.0)) }}
{{- if .engine.kv_cache_memory_bytes }}
  {{- $used = .share }}
{{- else if .engine.gpu_memory_utilization }}
  {{- $used = float64 .engine.gpu_memory_utilization }}
{{- end }}
{{- $memory := include "ray-vllm-stack.quantity.value" .class.deviceMemory | float64 }}
{{- divf (mulf (include "ray-vllm-stack.fit.devices" .parallelism) $memory $used) 1073741824 }}
{{- end }}

{{/*
Devices that hold one copy of the weights.
usage: include "ray-vllm-stack.fit.devices" <parallelism> | int
*/}}
{{- define "ray-vllm-stack.fit.devices" -}}
{{- mul .tensor .pipeline (ternary .data 1 .expert) }}
{{- end }}

{{/*
GiB that weights may take: what the engine may use without a tenth, for activations and the KV cache of a sequence.
usage: include "ray-vllm-stack.fit.room" <as for fit.used> | float64
*/}}
{{- define "ray-vllm-stack.fit.room" -}}
{{- mulf (include "ray-vllm-stack.fit.used" .) 0.9 }}
{{- end }}

{{/*
Whether weights fit: "true" or nothing.
usage: if include "ray-vllm-stack.fit.fits" (dict "weights" <GiB> and as for fit.used)
*/}}
{{- define "ray-vllm-stack.fit.fits" -}}
{{- if le (float64 .weights) (include "ray-vllm-stack.fit.room" . | float64) }}true{{ end }}
{{- end }}

{{/*
What is too large, for what, and what would do.
usage: include "ray-vllm-stack.fit.sentence" (dict "root" $ and as for fit.fits)
*/}}
{{- define "ray-vllm-stack.fit.sentence" -}}
{{- $devices := mulf (include "ray-vllm-stack.fit.devices" .parallelism) .share }}
{{- $memory := include "ray-vllm-stack.quantity.value" .class.deviceMemory | float64 }}
{{- $have := printf "%v device%s of class %s %s %.0f GiB" $devices (ternary "" "s" (eq $devices 1.0)) .class.name (ternary "has" "have" (eq $devices 1.0)) (divf (mulf $devices $memory) 1073741824 | floor) }}
{{- $used := include "ray-vllm-stack.fit.used" . | float64 | floor }}
{{- $room := include "ray-vllm-stack.fit.room" . | float64 | floor }}
{{- $remedies := include "ray-vllm-stack.fit.remedies" . | fromJsonArray | join ", or " -}}
its weights take {{ printf "%.0f" (ceil .weights) }} GiB, and {{ $have }} of which the engine may use {{ printf "%.0f, %.0f" $used $room }} of them for weights, use {{ $remedies }}
{{- end }}

{{/*
What would hold weights that do not fit, as a JSON array: the whole device, the smallest tensor size of the class (with
pipeline stages, where a host of it is too small), and the first class of its platform that does with the same parallelism.
usage: include "ray-vllm-stack.fit.remedies" <as for fit.sentence> | fromJsonArray
*/}}
{{- define "ray-vllm-stack.fit.remedies" -}}
{{- $whole := merge (dict "share" 1.0) . }}
{{- $share := ternary "acceleratorShare: 1" "" (lt .share 1.0) }}
{{- $tensor := include "ray-vllm-stack.fit.tensor" $whole }}
{{- $perHost := int .class.devicesPerHost }}
{{- $remedies := list }}
{{- if and $share (include "ray-vllm-stack.fit.fits" $whole) }}
  {{- $remedies = append $remedies $share }}
{{- else if $tensor }}
  {{- $remedies = append $remedies (list $share (printf "tensor: %s" $tensor) | compact | join " with ") }}
{{- else if eq (int .parallelism.data) 1 }}
  {{- $sizes := dict "tensor" $perHost "pipeline" 1 "data" 1 "expert" false }}
  {{- $host := dict "class" .class "engine" .engine "share" 1.0 "parallelism" $sizes }}
  {{- $stages := divf .weights (include "ray-vllm-stack.fit.room" $host) | ceil }}
  {{- $remedies = append $remedies (list $share (printf "tensor: %d with pipeline: %.0f" $perHost $stages) | compact | join " with ") }}
{{- end }}
{{- with include "ray-vllm-stack.fit.class" . }}
  {{- $remedies = append $remedies (printf "class %s with tensor: %d" . (int $.parallelism.tensor)) }}
{{- end }}
{{- toJson ($remedies | default (list "a class whose devices have more memory")) }}
{{- end }}

{{/*
The smallest power of two of devices in a host that holds the weights as a tensor size, or nothing.
usage: include "ray-vllm-stack.fit.tensor" <as for fit.fits>
*/}}
{{- define "ray-vllm-stack.fit.tensor" -}}
{{- $found := "" }}
{{- range $tensor := list 1 2 4 8 16 32 64 }}
  {{- if and (not $found) (le $tensor (int $.class.devicesPerHost)) (gt $tensor (int $.parallelism.tensor)) }}
    {{- $sizes := merge (dict "tensor" $tensor) $.parallelism }}
    {{- if include "ray-vllm-stack.fit.fits" (merge (dict "parallelism" $sizes) $) }}{{ $found = toString $tensor }}{{ end }}
  {{- end }}
{{- end }}
{{- $found }}
{{- end }}

{{/*
The first class of the same platform, by order, that holds the weights with the same parallelism, or nothing.
usage: include "ray-vllm-stack.fit.class" <as for fit.sentence>
*/}}
{{- define "ray-vllm-stack.fit.class" -}}
{{- $found := list }}
{{- range $name, $class := .root.Values.resolved.classes }}
  {{- $tried := and (eq $class.platform $.class.platform) $class.resource $class.deviceMemory }}
  {{- if and $tried (le (int $.parallelism.tensor) (int $class.devicesPerHost)) }}
    {{- $part := dict "weights" $.weights "parallelism" $.parallelism "engine" $.engine "share" $.share "class" $class }}
    {{- if include "ray-vllm-stack.fit.fits" $part }}
      {{- $found = append $found (printf "%09d %s" (int $class.order) $name) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- with sortAlpha $found }}{{ first . | splitList " " | last }}{{ end }}
{{- end }}
