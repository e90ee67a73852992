{{/*
A Kubernetes quantity times a whole number, in the same unit.
usage: include "ray-vllm-stack.quantity.times" (dict "quantity" "24Gi" "times" 4)
*/}}
{{- define "ray-vllm-stack.quantity.times" -}}
{{- $text := toString .quantity }}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?" $text }}
{{- $product := mulf (float64 $number) .times }}
{{- $product = ternary (int $product | toString) (toString $product) (eq (floor $product) $product) }}
{{- $product }}{{ trimPrefix $number $text }}
{{- end }}

{{/*
A Kubernetes quantity as a plain whole number, such as of bytes.
usage: include "ray-vllm-stack.quantity.value" "512Mi" | float64
*/}}
{{- define "ray-vllm-stack.quantity.value" -}}
{{- include "ray-vllm-stack.quantity.exact" . | float64 | printf "%.0f" }}
{{- end }}

{{/*
A Kubernetes quantity as a plain number to the thousandth, such as of CPUs.
usage: include "ray-vllm-stack.quantity.exact" "500m" | float64
*/}}
{{- define "ray-vllm-stack.quantity.exact" -}}
{{- $text := toString . }}
{{- $unit := regexFind "[A-Za-z]*$" $text }}
{{- $value := trimSuffix $unit $text | float64 }}
{{- if eq $unit "m" }}
  {{- $value = divf $value 1000 }}
{{- else if $unit }}
  {{- $step := ternary 1024 1000 (hasSuffix "i" $unit) }}
  {{- range until (add1 (index (dict "k" 0 "m" 1 "g" 2 "t" 3 "p" 4 "e" 5) (trimSuffix "i" $unit | lower)) | int) }}
    {{- $value = mulf $value $step }}
  {{- end }}
{{- end }}
{{- printf "%.3f" $value }}
{{- end }}
