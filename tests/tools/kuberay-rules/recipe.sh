go_build kuberay-rules .
cp "$(module_dir github.com/ray-project/kuberay/ray-operator)/config/crd/bases/ray.io_rayservices.yaml" "$out/"
