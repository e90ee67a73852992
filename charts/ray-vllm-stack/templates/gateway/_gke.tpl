{{/*
Spec of GKE's GCPBackendPolicy, before the raw `gateway.httpRoute.gke.backendPolicy.spec`. Its own time is 30 s, and it
refuses a route that says another.
usage: include "ray-vllm-stack.gateway.gke.backendPolicy" $
*/}}
{{- define "ray-vllm-stack.gateway.gke.backendPolicy" -}}
targetRef: {group: "", kind: Service, name: {{ include "ray-vllm-stack.gateway.name" . }}}
default:
  timeoutSec: {{ int .Values.gateway.httpRoute.gke.timeoutSeconds }}
  connectionDraining:
    drainingTimeoutSec: {{ min 3600 (int .Values.gateway.drainSeconds) }}
{{- end }}

{{/*
Spec of GKE's HealthCheckPolicy, before the raw `gateway.httpRoute.gke.healthCheckPolicy.spec`. Without it GKE asks for
`/`, which the gateway does not have, and sends nobody there; it does not look at readiness probes.
usage: include "ray-vllm-stack.gateway.gke.healthCheckPolicy" $
*/}}
{{- define "ray-vllm-stack.gateway.gke.healthCheckPolicy" -}}
targetRef: {group: "", kind: Service, name: {{ include "ray-vllm-stack.gateway.name" . }}}
default:
  checkIntervalSec: 5
  timeoutSec: 5
  config:
    type: HTTP
    httpHealthCheck: {portSpecification: USE_FIXED_PORT, port: 8080, requestPath: /readyz}
{{- end }}
