# Argo CD's application controller and repository server, with its CRDs and the settings that it is installed with. Large, and
# for the campaign only, so not among the tools that are built by default.
m=github.com/argoproj/argo-cd/v3
go_build argocd . "-X $m/common.version=$(module_version $m | tr -d v)"
for b in application-controller repo-server git-ask-pass; do ln -s argocd "$out/bin/argocd-$b"; done
d=$(module_dir $m)
install -m 755 "$d/hack/git-verify-wrapper.sh" "$out/bin/"   # the repository server runs it for each commit
mkdir "$out/crds" "$out/config"
cp "$d"/manifests/crds/{application,appproject}-crd.yaml "$out/crds/"
cp "$d"/manifests/base/config/argocd-{cm,secret}.yaml "$out/config/"
