# Traefik as an implementation of the Gateway API, with that API's CRDs. Large, because every DNS provider of its ACME client
# is compiled in, and for the campaign only, so not among the tools that are built by default.
m=github.com/traefik/traefik/v3
go_build traefik $m/cmd/traefik "-X $m/pkg/version.Version=$(module_version $m | tr -d v)"
mkdir "$out/crds"; cp "$(module_dir sigs.k8s.io/gateway-api)"/config/crd/standard/*.yaml "$out/crds/"
