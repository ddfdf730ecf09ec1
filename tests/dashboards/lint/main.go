// lint: reads the dashboards that are named on the command line with the rules of Grafana's dashboard-linter, which mixtool lint
// runs too, and prints what they find. It ends with 1 if there is something without a reason below, or a reason for nothing.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/dashboard-linter/lint"
)

// Rules that we do not keep, and why. The linter is made for dashboards in which a reader chooses job and instance.
var reasons = map[string]string{
	"template-job-rule":      "a dashboard is that of one API: its job is fixed, so that it loads with no choice to make",
	"target-job-rule":        "the same",
	"template-instance-rule": "pods come and go; what differs between them is shown as the highest of all",
	"target-instance-rule":   "the same",
}

func main() {
	used := map[string]bool{}
	wrong := false
	for _, path := range os.Args[1:] {
		for _, finding := range findings(path) {
			used[finding.rule] = true
			if reasons[finding.rule] == "" {
				wrong = true
				fmt.Printf("%s: %s: %s\n", path, finding.rule, finding.message)
			}
		}
	}
	for rule := range reasons {
		if !used[rule] {
			wrong = true
			fmt.Printf("%s finds nothing, so it needs no reason\n", rule)
		}
	}
	if wrong {
		os.Exit(1)
	}
}

type finding struct{ rule, message string }

func findings(path string) []finding {
	raw, err := os.ReadFile(path)
	if err != nil {
		return []finding{{"file", err.Error()}}
	}
	dashboard, err := lint.NewDashboard(raw)
	if err != nil {
		return []finding{{"file", err.Error()}}
	}
	var found []finding
	set := lint.NewRuleSet()
	for _, rule := range set.Rules() {
		var results lint.ResultSet
		rule.Lint(dashboard, &results)
		for _, one := range results.ByRule()[rule.Name()] {
			for _, result := range one.Result.Results {
				if result.Severity >= lint.Warning {
					found = append(found, finding{rule.Name(), result.Message})
				}
			}
		}
	}
	return found
}
