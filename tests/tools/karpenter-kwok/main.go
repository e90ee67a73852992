// Command karpenter-kwok is Karpenter with its kwok provider, whose offerings run dry as those of EC2 do. The file that
// DRY_OFFERINGS names lists labels of offerings that nobody can have, such as [{"karpenter.sh/capacity-type": "spot"}].
// Karpenter knows nothing of them until a launch is refused for insufficient capacity; they are unavailable from then on,
// for as long as the file lists them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/samber/lo"
	corev1 "k8s.io/api/core/v1"
	kwok "sigs.k8s.io/karpenter/kwok/cloudprovider"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/overlay"
	"sigs.k8s.io/karpenter/pkg/controllers"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/operator"
	"sigs.k8s.io/karpenter/pkg/scheduling"
)

// market is a cloud provider some of whose offerings may be dry.
type market struct {
	cloudprovider.CloudProvider
	types   []*cloudprovider.InstanceType
	mutex   sync.Mutex
	refused map[*cloudprovider.Offering]bool
}

// offer is an offering of an instance type.
type offer struct {
	*cloudprovider.InstanceType
	*cloudprovider.Offering
}

func (o offer) labelled(labels map[string]string) bool {
	for key, value := range labels {
		own := o.Offering.Requirements
		if !own.Has(key) {
			own = o.InstanceType.Requirements
		}
		if !own.Get(key).Has(value) {
			return false
		}
	}
	return true
}

// dry reads the labels of dry offerings; there are none without a file.
func dry() (labels []map[string]string, err error) {
	text, err := os.ReadFile(os.Getenv("DRY_OFFERINGS"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &labels)
	}
	return labels, err
}

// unavailable says whether a launch of an offer was refused and would be still.
func (m *market) unavailable(o offer, dry []map[string]string) bool {
	return m.refused[o.Offering] && slices.ContainsFunc(dry, o.labelled)
}

// GetInstanceTypes gives the provider's instance types, without what is unavailable.
func (m *market) GetInstanceTypes(context.Context, *v1.NodePool) ([]*cloudprovider.InstanceType, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	labels, err := dry()
	if err != nil || len(labels) == 0 {
		return m.types, err
	}
	return lo.Map(m.types, func(t *cloudprovider.InstanceType, _ int) *cloudprovider.InstanceType {
		offerings := lo.Map(t.Offerings, func(o *cloudprovider.Offering, _ int) *cloudprovider.Offering {
			return &cloudprovider.Offering{Requirements: o.Requirements, Price: o.Price, Available: !m.unavailable(offer{t, o}, labels)}
		})
		return &cloudprovider.InstanceType{
			Name: t.Name, Requirements: t.Requirements, Offerings: offerings, Capacity: t.Capacity, Overhead: t.Overhead,
		}
	}), nil
}

// Create launches the cheapest offer of a claim that is not dry, of spot capacity where the claim allows it and some is
// available, as Karpenter's AWS provider does.
func (m *market) Create(ctx context.Context, claim *v1.NodeClaim) (*v1.NodeClaim, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	labels, err := dry()
	if err != nil {
		return nil, err
	}
	wanted := scheduling.NewNodeSelectorRequirementsWithMinValues(claim.Spec.Requirements...)
	var offers []offer
	for _, t := range m.types {
		if wanted.Get(corev1.LabelInstanceTypeStable).Has(t.Name) {
			for _, o := range t.Offerings.Compatible(wanted) {
				if !m.unavailable(offer{t, o}, labels) {
					offers = append(offers, offer{t, o})
				}
			}
		}
	}
	spot := lo.Filter(offers, func(o offer, _ int) bool { return o.CapacityType() == v1.CapacityTypeSpot })
	if len(spot) > 0 {
		offers = spot
	}
	left := lo.Filter(offers, func(o offer, _ int) bool { return !slices.ContainsFunc(labels, o.labelled) })
	if len(left) == 0 {
		for _, o := range offers {
			m.refused[o.Offering] = true
		}
		return nil, cloudprovider.NewInsufficientCapacityError(fmt.Errorf("none of %d offerings has capacity", len(offers)))
	}
	cheapest := lo.MinBy(left, func(a, b offer) bool { return a.Price < b.Price })
	claim = claim.DeepCopy()
	for key, value := range map[string]string{
		corev1.LabelInstanceTypeStable: cheapest.Name, corev1.LabelTopologyZone: cheapest.Zone(), v1.CapacityTypeLabelKey: cheapest.CapacityType(),
	} {
		claim.Spec.Requirements = lo.Reject(claim.Spec.Requirements, func(r v1.NodeSelectorRequirementWithMinValues, _ int) bool { return r.Key == key })
		claim.Spec.Requirements = append(claim.Spec.Requirements, v1.NodeSelectorRequirementWithMinValues{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{value}})
	}
	return m.CloudProvider.Create(ctx, claim)
}

func main() {
	ctx, op := operator.NewOperator()
	types, err := kwok.ConstructInstanceTypes(ctx)
	if err != nil {
		panic(err)
	}
	provider := &market{
		CloudProvider: kwok.NewCloudProvider(ctx, op.GetClient(), types), types: types, refused: map[*cloudprovider.Offering]bool{},
	}
	decorated := overlay.Decorate(provider, op.GetClient(), op.InstanceTypeStore)
	cluster := state.NewCluster(op.Clock, op.GetClient(), decorated)
	op.WithControllers(ctx, controllers.NewControllers(
		ctx, op.Manager, op.Clock, op.GetClient(), op.EventRecorder, decorated, provider, cluster, op.InstanceTypeStore,
	)...).Start(ctx)
}
