// argodiff says whether Argo CD sees a difference between what an Application renders and what is live, by Argo CD's own
// code. It reads {"config", "live", "ignore"} from stdin, one after another, and prints {"different"} for each.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type question struct {
	Config *unstructured.Unstructured
	Live   *unstructured.Unstructured
	Ignore []v1alpha1.ResourceIgnoreDifferences
}

func different(asked question) (bool, error) {
	overrides := map[string]v1alpha1.ResourceOverride{}
	config, err := diff.NewDiffConfigBuilder().
		WithDiffSettings(asked.Ignore, overrides, false, normalizers.IgnoreNormalizerOpts{}).
		WithNoCache().
		Build()
	if err != nil {
		return false, err
	}
	found, err := diff.StateDiff(asked.Live, asked.Config, config)
	return found.Modified, err
}

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := in.Decode(&asked); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		found, err := different(asked)
		if err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(map[string]bool{"different": found}); err != nil {
			log.Fatal(err)
		}
	}
}
