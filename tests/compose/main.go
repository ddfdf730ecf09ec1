// compose: loads the compose files that are named on the command line as Docker Compose loads them, with its own library, which
// checks them against the schema of the Compose Specification first. Prints each as JSON, on one line. It ends with 1 if one is
// refused.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	for _, file := range os.Args[1:] {
		if err := load(file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			os.Exit(1)
		}
	}
}

func load(file string) error {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithName("stack"))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	text, err := project.MarshalJSON()
	if err != nil {
		return err
	}
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil {
		return err
	}
	fmt.Println(line.String())
	return nil
}
