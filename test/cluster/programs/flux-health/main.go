// Says what Flux makes of objects: by kstatus, as it does by itself, and by the healthCheckExprs of a Kustomization.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type question struct {
	// A Kustomization has a list of them, one for each kind.
	Expressions kustomize.HealthCheckExpressions `json:"expressions"`
	Objects     []json.RawMessage                `json:"objects"`
}

type answer struct {
	Plain       string `json:"plain"`
	Expressions string `json:"expressions"`
}

func main() {
	var asked question
	must(json.NewDecoder(os.Stdin).Decode(&asked))
	evaluator, err := cel.NewStatusEvaluator(&asked.Expressions)
	must(err)
	answers := []answer{}
	for _, text := range asked.Objects {
		object := &unstructured.Unstructured{}
		// Its own reader: whole numbers are to be whole.
		must(object.UnmarshalJSON(text))
		plain, err := status.Compute(object)
		must(err)
		answers = append(answers, answer{Plain: plain.Status.String(), Expressions: evaluate(evaluator, object)})
	}
	must(json.NewEncoder(os.Stdout).Encode(answers))
}

// An expression that cannot be evaluated is no verdict: Flux asks again.
func evaluate(evaluator *cel.StatusEvaluator, object *unstructured.Unstructured) string {
	result, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return status.UnknownStatus.String()
	}
	return result.Status.String()
}

func must(err error) {
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
}
