// Command kuberay-rules asks KubeRay's own code what an edit of a RayService does to its Ray cluster. Each line of its
// input is {"old": RayService, "new": RayService}, of its output {"hash": equal, "update": in place, "build": new cluster}.
// Both pass through the defaults of the CRD first, whose file is the argument, as in an API server.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"os"
	"strconv"
	_ "unsafe" // for go:linkname

	_ "github.com/ray-project/kuberay/ray-operator/controllers/ray"

	rayv1 "github.com/ray-project/kuberay/ray-operator/apis/ray/v1"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/utils"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"sigs.k8s.io/yaml"
)

//go:linkname shouldUpdateCluster github.com/ray-project/kuberay/ray-operator/controllers/ray.shouldUpdateCluster
func shouldUpdateCluster(service *rayv1.RayService, cluster *rayv1.RayCluster, isActive bool) bool

//go:linkname shouldPrepareNewCluster github.com/ray-project/kuberay/ray-operator/controllers/ray.shouldPrepareNewCluster
func shouldPrepareNewCluster(ctx context.Context, service *rayv1.RayService, active, pending *rayv1.RayCluster, isPendingServing bool) bool

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func schema(path string) *structural.Structural {
	text, err := os.ReadFile(path)
	check(err)
	var crd apiextensionsv1.CustomResourceDefinition
	check(yaml.Unmarshal(text, &crd))
	for _, version := range crd.Spec.Versions {
		if version.Name == "v1" {
			var props apiextensions.JSONSchemaProps
			check(apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &props, nil))
			found, err := structural.NewStructural(&props)
			check(err)
			return found
		}
	}
	log.Fatalf("%s has no version v1", path)
	return nil
}

func service(raw map[string]any, defaults *structural.Structural) *rayv1.RayService {
	defaulting.PruneNonNullableNullsWithoutDefaults(raw, defaults)
	defaulting.Default(raw, defaults)
	text, err := json.Marshal(raw)
	check(err)
	found := &rayv1.RayService{}
	check(json.Unmarshal(text, found))
	return found
}

func main() {
	defaults := schema(os.Args[1])
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var pair struct{ Old, New map[string]any }
		check(json.Unmarshal(lines.Bytes(), &pair))
		before, after := service(pair.Old, defaults), service(pair.New, defaults)
		hash, err := utils.GenerateHashWithoutReplicasAndWorkersToDelete(before.Spec.RayClusterSpec)
		check(err)
		cluster := &rayv1.RayCluster{Spec: before.Spec.RayClusterSpec}
		cluster.Annotations = map[string]string{ // as constructRayClusterForRayService writes them
			utils.HashWithoutReplicasAndWorkersToDeleteKey: hash,
			utils.NumWorkerGroupsKey:                       strconv.Itoa(len(before.Spec.RayClusterSpec.WorkerGroupSpecs)),
			utils.KubeRayVersion:                           utils.KUBERAY_VERSION,
		}
		goal, err := utils.GenerateHashWithoutReplicasAndWorkersToDelete(after.Spec.RayClusterSpec)
		check(err)
		check(json.NewEncoder(os.Stdout).Encode(map[string]bool{
			"hash":   hash == goal,
			"update": shouldUpdateCluster(after, cluster, true),
			"build":  shouldPrepareNewCluster(context.Background(), after, cluster, nil, false),
		}))
	}
	check(lines.Err())
}
