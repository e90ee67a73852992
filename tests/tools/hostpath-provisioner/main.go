// Command hostpath-provisioner gives each PersistentVolumeClaim of its StorageClass
// a directory below -root on this machine, and removes the directory with the volume.
// For the one-node local cluster only: it runs beside the kubelet, on the same file system.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"syscall"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const name = "ray-vllm-stack.local/hostpath"

type provisioner struct{ root string }

// Provision makes the directory. Its mode is 0777 because the kubelet does not apply
// fsGroup to hostPath volumes, and our pods run as uid 1000.
func (p provisioner) Provision(_ context.Context, o controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	dir := filepath.Join(p.root, o.PVName)
	old := syscall.Umask(0)
	err := os.MkdirAll(dir, 0o777)
	syscall.Umask(old)
	if err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	kind := v1.HostPathDirectory
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: o.PVC.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource:        v1.PersistentVolumeSource{HostPath: &v1.HostPathVolumeSource{Path: dir, Type: &kind}},
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes the directory of a volume that this command made.
func (p provisioner) Delete(_ context.Context, pv *v1.PersistentVolume) error {
	dir := filepath.Join(p.root, pv.Name)
	if pv.Spec.HostPath == nil || pv.Spec.HostPath.Path != dir {
		return errors.New("not a volume below " + p.root)
	}
	return os.RemoveAll(dir)
}

func main() {
	klog.InitFlags(nil)
	root := flag.String("root", "", "directory that holds the volumes")
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil || *root == "" {
		klog.Fatalf("hostpath-provisioner: -root %q -kubeconfig %q: %v", *root, *kubeconfig, err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	ctx := context.Background()
	controller.NewProvisionController(ctx, client, name, provisioner{*root}, controller.LeaderElection(false)).Run(ctx)
}
