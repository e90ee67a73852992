m=github.com/helm/chart-testing/v3
go_build ct $m/ct
cp -r "$(module_dir $m)/etc" "$out/etc"   # chart_schema.yaml, lintconf.yaml
