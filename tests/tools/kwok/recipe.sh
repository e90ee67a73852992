# kwok plays the kubelets of nodes that are objects only; its stages say how their nodes and pods live.
m=sigs.k8s.io/kwok
go_build kwok $m/cmd/kwok
cp -r "$(module_dir $m)/kustomize/stage" "$out/stage"
