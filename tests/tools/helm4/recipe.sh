go_build helm helm.sh/helm/v4/cmd/helm "-X helm.sh/helm/v4/internal/version.version=$(module_version helm.sh/helm/v4)"
