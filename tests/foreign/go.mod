module monitored-api.test/foreign

go 1.26.6
