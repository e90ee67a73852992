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
