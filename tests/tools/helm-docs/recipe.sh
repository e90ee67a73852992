go_build helm-docs github.com/norwoodj/helm-docs/cmd/helm-docs
