m=github.com/prometheus-operator/prometheus-operator
go_build prometheus-operator $m/cmd/operator
go_build prometheus-config-reloader $m/cmd/prometheus-config-reloader
mkdir "$out/crds"; cp "$(module_dir $m)"/example/prometheus-operator-crd/*.yaml "$out/crds/"
