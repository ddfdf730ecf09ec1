module monitored-api.test/pause

go 1.26.6
