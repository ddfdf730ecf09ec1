// dashboards: decodes the dashboards that are named on the command line with Grafana's own typed models, and prints every field
// that Grafana does not know, every value of a wrong type and every value that is not valid. It ends with 1 if there is one.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The models call a field required where Grafana has a default, and fills it in when it loads a dashboard. These are the ones
// that we leave to it, by the path without indexes; any other that is missing is a mistake.
var leftToGrafana = []string{
	"panels.panels",
	"panels.links.asDropdown",
	"panels.links.icon",
	"panels.links.includeVars",
	"panels.links.keepTime",
	"panels.links.tags",
	"panels.links.tooltip",
	"panels.options.frameIndex",
	"panels.options.graphMode",
	"panels.options.justifyMode",
	"panels.options.legend",
	"panels.options.legend.values",
	"panels.options.maxVizHeight",
	"panels.options.minVizHeight",
	"panels.options.minVizWidth",
	"panels.options.namePlacement",
	"panels.options.orientation",
	"panels.options.percentChangeColorMode",
	"panels.options.showPercentChange",
	"panels.options.sizing",
	"panels.options.valueMode",
	"panels.options.wideLayout",
}

// Panels that Grafana has and the models do not: their options are not checked.
var withoutModel = []string{"row", "alertlist"}

// What the models say of a required field that is not there.
const missing = "required field is missing from input"

func main() {
	plugins.RegisterDefaultPlugins()
	wrong := false
	for _, path := range os.Args[1:] {
		for _, mistake := range mistakes(path) {
			wrong = true
			fmt.Printf("%s: %v\n", path, mistake)
		}
	}
	if wrong {
		os.Exit(1)
	}
}

func mistakes(path string) []error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return []error{err}
	}
	var strict, read dashboard.Dashboard
	found := slices.DeleteFunc(each(strict.UnmarshalJSONStrict(raw)), isLeftToGrafana)
	// The strict decoder gives up a panel with the first mistake, one of those above included.
	if err := json.Unmarshal(raw, &read); err != nil {
		return append(found, err)
	}
	found = append(found, each(read.Validate())...)
	found = append(found, unknownTypes(read)...)
	return append(found, lost(raw, read)...)
}

// Panels of a type that Grafana does not have: their options are not decoded at all.
func unknownTypes(read dashboard.Dashboard) []error {
	var found []error
	for at, panel := range read.Panels {
		if panel.Panel == nil || slices.Contains(withoutModel, panel.Panel.Type) {
			continue
		}
		if _, known := cog.ConfigForPanelcfgVariant(panel.Panel.Type); !known {
			found = append(found, fmt.Errorf("panels[%d].type: no panel is of type %q", at, panel.Panel.Type))
		}
	}
	return found
}

// What the models do not hold: the strict decoders overlook unknown fields in some places, such as fieldConfig.defaults.
func lost(raw []byte, read dashboard.Dashboard) []error {
	text, err := json.Marshal(read)
	if err != nil {
		return []error{err}
	}
	var before, after any
	if err := errors.Join(json.Unmarshal(raw, &before), json.Unmarshal(text, &after)); err != nil {
		return []error{err}
	}
	return different("", before, after)
}

func different(path string, before, after any) []error {
	var found []error
	switch before := before.(type) {
	case map[string]any:
		after, _ := after.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(before)) {
			found = append(found, different(path+"."+key, before[key], after[key])...)
		}
	case []any:
		after, _ := after.([]any)
		for at, value := range before {
			if at >= len(after) {
				return append(found, fmt.Errorf("%s[%d]: not in the models", path, at))
			}
			found = append(found, different(fmt.Sprintf("%s[%d]", path, at), value, after[at])...)
		}
	default:
		if before != after {
			found = append(found, fmt.Errorf("%s: %v is %v in the models", path, before, after))
		}
	}
	return found
}

// The single mistakes in what a decoder or a check gives back.
func each(err error) []error {
	if err == nil {
		return nil
	}
	var several cog.BuildErrors
	if !errors.As(err, &several) {
		return []error{err}
	}
	found := make([]error, 0, len(several))
	for _, one := range several {
		found = append(found, one)
	}
	return found
}

func isLeftToGrafana(mistake error) bool {
	var one *cog.BuildError
	return errors.As(mistake, &one) && one.Message == missing && slices.Contains(leftToGrafana, withoutIndexes(one.Path))
}

func withoutIndexes(path string) string {
	var kept strings.Builder
	inside := false
	for _, letter := range path {
		switch letter {
		case '[':
			inside = true
		case ']':
			inside = false
		default:
			if !inside {
				kept.WriteRune(letter)
			}
		}
	}
	return kept.String()
}
