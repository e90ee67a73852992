# One binary under six names: it links in 7 s and 129 MB, six binaries in 30 s and 463 MB.
v=$(module_version k8s.io/kubernetes) minor=${v#v1.} minor=${minor%%.*} stamp=
for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp+=" -X $p.gitVersion=$v -X $p.gitMajor=1 -X $p.gitMinor=$minor -X $p.gitTreeState=clean"
  stamp+=" -X $p.gitCommit=module -X $p.buildDate=1970-01-01T00:00:00Z"
done
go_build kube . "$stamp"
for c in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do ln -s kube "$out/bin/$c"; done
