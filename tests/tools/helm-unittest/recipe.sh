go_build helm-unittest github.com/helm-unittest/helm-unittest/cmd/helm-unittest
