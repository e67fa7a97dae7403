import type { Preset } from './preset.ts';

const nsxSource =
  'https://docs.vmware.com/en/VMware-NSX/4.1/administration/GUID-F4187E53-AF72-4B6A-8855-9F9D1469FD0C.html';
const openshiftSource =
  'OpenShift API operator/v1/types_ingress.go, IngressControllerTuningOptions (oc explain ingresscontroller.spec.tuningOptions)';
const ipvsSource = 'Linux net/netfilter/ipvs/ip_vs_proto_tcp.c, IP_VS_TCP_S_ESTABLISHED';

/** What a node or a network has itself, wherever it stands: Kubernetes, firewalls, load balancers, proxies. */
export const devicePresets = {
  'kube-proxy-ipvs': {
    title: 'kube-proxy in IPVS mode',
    type: 'IPVS',
    idleTimeoutSeconds: 900,
    after: 'silence or RST',
    configurable: '--ipvs-tcp-timeout',
    source: ipvsSource,
  },
  'kube-router': {
    title: 'kube-router service proxy (IPVS)',
    type: 'IPVS',
    idleTimeoutSeconds: 900,
    after: 'silence or RST',
    configurable: '--service-tcp-timeout',
    source: ipvsSource,
  },
  'kube-proxy-conntrack': {
    title: 'kube-proxy in iptables or nftables mode',
    type: 'Conntrack',
    idleTimeoutSeconds: 86_400,
    configurable: '--conntrack-tcp-timeout-established',
    source: 'https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/',
  },
  'linux-conntrack': {
    title: 'Linux conntrack with the kernel default',
    type: 'Conntrack',
    idleTimeoutSeconds: 432_000,
    configurable: 'sysctl net.netfilter.nf_conntrack_tcp_timeout_established',
    source: 'https://docs.kernel.org/networking/nf_conntrack-sysctl.html',
  },
  cilium: {
    title: 'Cilium connection tracking (since August 2023)',
    type: 'Conntrack',
    idleTimeoutSeconds: 8000,
    configurable: 'bpf-ct-timeout-regular-tcp',
    source: 'https://github.com/cilium/cilium/pull/27665',
  },
  'calico-ebpf': {
    title: 'Calico connection tracking, eBPF data plane',
    type: 'Conntrack',
    idleTimeoutSeconds: 3600,
    configurable: 'bpfConntrackTimeouts.tcpEstablished of FelixConfiguration',
    source: 'Calico felix/bpf/conntrack/timeouts/timeouts.go, DefaultTimeouts',
  },
  'nsx-distributed-firewall': {
    title: 'VMware NSX distributed firewall',
    type: 'Firewall',
    idleTimeoutSeconds: 43_200,
    configurable: '120 to 4320000 s (session timer TCP Established)',
    source: nsxSource,
  },
  'nsx-gateway-firewall': {
    title: 'VMware NSX gateway firewall',
    type: 'Firewall',
    idleTimeoutSeconds: 7200,
    configurable: '120 to 4320000 s (session timer TCP Established)',
    source: nsxSource,
  },
  'avi-tcp-fast-path': {
    title: 'VMware Avi Load Balancer, TCP fast path profile',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 300,
    configurable: '5 to 14400 s, 0 for never (session_idle_timeout)',
    source:
      'https://developer.broadcom.com/xapis/vmware-avi-load-balancer/latest/data-structures/TCPFastPathProfile',
  },
  'cisco-ftd': {
    title: 'Cisco Firepower Threat Defense',
    type: 'Firewall',
    idleTimeoutSeconds: 3600,
    configurable: 'from 5 minutes',
    source: 'https://docs.defenseorchestrator.com/cdfmc/t_configure_global_timeouts_fptd.html',
  },
  'palo-alto': {
    title: 'Palo Alto Networks PAN-OS',
    type: 'Firewall',
    idleTimeoutSeconds: 3600,
    configurable: '1 to 15999999 s',
    source:
      'https://docs.paloaltonetworks.com/content/techdocs/en_US/ngfw/networking/session-settings-and-timeouts/configure-session-timeouts/configure-session-timeouts-scm.html',
  },
  fortigate: {
    title: 'FortiGate',
    type: 'Firewall',
    idleTimeoutSeconds: 3600,
    configurable: '300 to 2764800 s (session-ttl)',
    source:
      'https://community.fortinet.com/t5/FortiGate/Technical-Tip-Default-session-timeout-value-session-ttl/ta-p/194357',
  },
  'fortiadc-firewall': {
    title: 'FortiADC firewall',
    type: 'Firewall',
    idleTimeoutSeconds: 3600,
    configurable: '1 to 86400 s (tcp-established-timeout)',
    source: 'https://docs.fortinet.com/document/fortiadc/7.4.3/cli-reference/726896/config-firewall-global',
  },
  'juniper-srx': {
    title: 'Juniper SRX',
    type: 'Firewall',
    idleTimeoutSeconds: 1800,
    configurable: 'for each application',
    source:
      'https://www.juniper.net/documentation/en_US/junos12.2/topics/concept/policy-application-timeout-configuration-lookup-understanding.html',
  },
  'f5-fastl4': {
    title: 'F5 BIG-IP FastL4 profile',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 300,
    after: 'RST',
    configurable: 'yes',
    source:
      'https://clouddocs.f5.com/products/extensions/f5-appsvcs-extension/latest/refguide/schemaref/L4_Profile.schema.json.html',
  },
  'envoy-tcp': {
    title: 'Envoy tcp_proxy, Istio TCP routes',
    type: 'Proxy',
    idleTimeoutSeconds: 3600,
    after: 'close',
    configurable: 'idle_timeout; 0 turns it off',
    source:
      'https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  },
  'nginx-stream': {
    title: 'nginx stream proxy',
    type: 'Proxy',
    idleTimeoutSeconds: 600,
    after: 'close',
    configurable: 'proxy_timeout',
    source: 'https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html',
  },
  'openshift-router': {
    title: 'OpenShift router, HTTP',
    type: 'Proxy',
    idleTimeoutSeconds: 30,
    after: 'close',
    configurable: 'tuningOptions.clientTimeout and serverTimeout of the IngressController',
    source: openshiftSource,
  },
  'openshift-router-tunnel': {
    title: 'OpenShift router, WebSockets and other tunnels',
    type: 'Proxy',
    idleTimeoutSeconds: 3600,
    after: 'close',
    configurable: 'tuningOptions.tunnelTimeout of the IngressController',
    source: openshiftSource,
  },
} satisfies Record<string, Preset>;
