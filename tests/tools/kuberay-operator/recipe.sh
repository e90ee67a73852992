m=github.com/ray-project/kuberay/ray-operator
go_build kuberay-operator $m
cp -r "$(module_dir $m)/config" "$out/config"   # CRDs and RBAC
