# One service discovery is enough; the others link every cloud's client.
stamp="-X github.com/prometheus/common/version.Version=$(module_version github.com/prometheus/prometheus)"
for b in prometheus promtool; do
  go_build $b github.com/prometheus/prometheus/cmd/$b "$stamp" remove_all_sd,enable_kubernetes_sd
done
