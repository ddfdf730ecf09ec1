module monitored-api.test/dashboards

go 1.26.6

require github.com/grafana/grafana-foundation-sdk/go v0.0.22
