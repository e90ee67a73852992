m=github.com/yannh/kubeconform
go_build kubeconform $m/cmd/kubeconform
cp "$(module_dir $m)/scripts/openapi2jsonschema.py" "$out/"   # CRD to JSON Schema
