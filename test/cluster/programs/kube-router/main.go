// The firewall of kube-router, started as its own program starts it with --run-firewall and nothing else. That program is not built here:
// it is a BGP router and a client of AWS and Docker too, which take longer to compile than all the rest.
package main

import (
	"sync"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"github.com/spf13/pflag"
	core "k8s.io/client-go/informers/core/v1"
	networking "k8s.io/client-go/informers/networking/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

func main() {
	config := options.NewKubeRouterConfig()
	config.AddFlags(pflag.CommandLine)
	pflag.Parse()
	access := must(clientcmd.BuildConfigFromFlags(config.Master, config.Kubeconfig))
	client := must(kubernetes.NewForConfig(access))

	byNamespace := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	pods := core.NewPodInformer(client, "", 0, byNamespace)
	namespaces := core.NewNamespaceInformer(client, 0, byNamespace)
	policies := networking.NewNetworkPolicyInformer(client, "", 0, byNamespace)
	forever := make(chan struct{})
	for _, informer := range []cache.SharedIndexInformer{pods, namespaces, policies} {
		go informer.Run(forever)
	}
	cache.WaitForCacheSync(forever, pods.HasSynced, namespaces.HasSynced, policies.HasSynced)

	iptables, ipsets, err := netpol.NewIPTablesHandlers(config)
	must(iptables, err)
	controller := must(netpol.NewNetworkPolicyController(
		client, config, pods, policies, namespaces, &sync.Mutex{}, iptables, ipsets))
	must(pods.AddEventHandler(controller.PodEventHandler))
	must(namespaces.AddEventHandler(controller.NamespaceEventHandler))
	must(policies.AddEventHandler(controller.NetworkPolicyEventHandler))

	beats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range beats {
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	controller.Run(beats, forever, &running)
}

func must[T any](value T, err error) T {
	if err != nil {
		klog.Fatal(err)
	}
	return value
}
