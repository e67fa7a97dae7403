import type { HopType } from './hop.ts';

/** A product with a default TCP idle timeout that its maker or its source code states. */
export interface Preset {
  readonly title: string;
  readonly type: HopType;
  /** Default, in seconds. */
  readonly idleTimeoutSeconds: number;
  /** What a packet meets that comes later; absent where no source says. */
  readonly after?: string;
  /** Whether, and how far, a user can change the default; absent where no source says. */
  readonly configurable?: string;
  readonly source: string;
}

const awsDocs = 'https://docs.aws.amazon.com';
const ec2Source = `${awsDocs}/AWSEC2/latest/APIReference/API_ConnectionTrackingConfiguration.html`;
const computeApi = 'Google Compute Engine API, backend service connectionTrackingPolicy.idleTimeoutSec';
const ipvsSource = 'Linux net/netfilter/ipvs/ip_vs_proto_tcp.c, IP_VS_TCP_S_ESTABLISHED';

const catalogue = {
  'aws-nat-gateway': {
    title: 'AWS NAT gateway',
    type: 'NAT',
    idleTimeoutSeconds: 350,
    after: 'RST to the side that sends',
    configurable: 'no',
    source: `${awsDocs}/vpc/latest/userguide/nat-gateway-troubleshooting.html`,
  },
  'aws-nlb': {
    title: 'AWS Network Load Balancer, TCP listener',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 350,
    after: 'RST',
    configurable: '60 to 6000 s (tcp.idle_timeout.seconds)',
    source: `${awsDocs}/elasticloadbalancing/latest/network/update-idle-timeout.html`,
  },
  'aws-gwlb': {
    title: 'AWS Gateway Load Balancer',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 350,
    after: 'silence; RST where send_tcp_reset.on_idle_timeout.enabled is set',
    configurable: '60 to 6000 s',
    source: `${awsDocs}/elasticloadbalancing/latest/gateway/gateway-listeners.md`,
  },
  'aws-vpc-endpoint': {
    title: 'AWS interface VPC endpoint',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 350,
    after: 'silence',
    configurable: 'no',
    source:
      'https://aws.amazon.com/blogs/networking-and-content-delivery/implementing-long-running-tcp-connections-within-vpc-networking/',
  },
  'aws-network-firewall': {
    title: 'AWS Network Firewall',
    type: 'Firewall',
    idleTimeoutSeconds: 350,
    after: 'silence',
    configurable: '60 to 6000 s',
    source: `${awsDocs}/network-firewall/latest/APIReference/API_FlowTimeouts.html`,
  },
  'aws-ec2-nitro-v6': {
    title: 'AWS EC2 security groups on Nitro v6 instances',
    type: 'Conntrack',
    idleTimeoutSeconds: 350,
    configurable: '60 to 432000 s for each network interface',
    source: ec2Source,
  },
  'aws-ec2': {
    title: 'AWS EC2 security groups on other Nitro instances',
    type: 'Conntrack',
    idleTimeoutSeconds: 432_000,
    configurable: '60 to 432000 s for each network interface',
    source: ec2Source,
  },
  'azure-load-balancer': {
    title: 'Azure Load Balancer Standard',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 240,
    after: 'silence; RST where TCP reset is enabled',
    configurable: '4 to 100 minutes',
    source: 'https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-idle-timeout',
  },
  'aks-outbound': {
    title: 'AKS outbound rule of the load balancer',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 1800,
    after: 'RST',
    configurable: 'az aks update --load-balancer-idle-timeout',
    source: 'https://learn.microsoft.com/azure/aks/configure-load-balancer-standard',
  },
  'aks-service': {
    title: 'AKS Service of type LoadBalancer',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 240,
    configurable: '4 to 30 minutes, annotation azure-load-balancer-tcp-idle-timeout',
    source: 'https://learn.microsoft.com/azure/aks/configure-load-balancer-standard',
  },
  'azure-nat-gateway': {
    title: 'Azure NAT gateway',
    type: 'NAT',
    idleTimeoutSeconds: 240,
    after: 'RST to the side that sends',
    configurable: '4 to 120 minutes',
    source: 'https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource',
  },
  'azure-firewall': {
    title: 'Azure Firewall',
    type: 'Firewall',
    idleTimeoutSeconds: 240,
    after: 'RST',
    configurable: 'by support request, up to 30 minutes',
    source: 'https://learn.microsoft.com/azure/firewall/firewall-faq',
  },
  'gcp-cloud-nat': {
    title: 'Google Cloud NAT',
    type: 'NAT',
    idleTimeoutSeconds: 1200,
    configurable: 'yes (--tcp-established-idle-timeout)',
    source: 'https://cloud.google.com/nat/docs/tune-nat-configuration',
  },
  'gcp-vpc-firewall': {
    title: 'Google Cloud VPC firewall connection tracking',
    type: 'Firewall',
    idleTimeoutSeconds: 600,
    after: 'silence for inbound packets until a new outbound one',
    configurable: 'no',
    source: 'https://cloud.google.com/compute/docs/troubleshooting',
  },
  'gcp-internal-nlb': {
    title: 'Google Cloud internal passthrough Network Load Balancer',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 600,
    configurable: 'up to 16 h, with session affinity of less than five tuples',
    source: computeApi,
  },
  'gcp-external-nlb': {
    title: 'Google Cloud external passthrough Network Load Balancer',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 60,
    source: computeApi,
  },
  'oci-nlb': {
    title: 'Oracle Cloud Network Load Balancer',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 360,
    configurable: 'yes',
    source: 'Oracle Cloud documentation, Network Load Balancer, configuring the idle timeout',
  },
  'oci-load-balancer': {
    title: 'Oracle Cloud Load Balancer, backend side',
    type: 'Proxy',
    idleTimeoutSeconds: 300,
    after: 'close',
    configurable: 'on the listener',
    source: 'https://docs.oracle.com/en-us/iaas/Content/Balance/Reference/connectionreuse.htm',
  },
  'alibaba-nat-gateway': {
    title: 'Alibaba Cloud NAT gateway',
    type: 'NAT',
    idleTimeoutSeconds: 900,
    configurable: 'no',
    source: 'https://www.alibabacloud.com/help/en/nat-gateway/support/nat-gateway-faq/',
  },
  'huawei-elb': {
    title: 'Huawei Cloud ELB, TCP listener',
    type: 'LoadBalancer',
    idleTimeoutSeconds: 300,
    after: 'close',
    configurable: '10 to 4000 s',
    source: 'https://support.huaweicloud.com/intl/en-us/usermanual-elb/elb_ug_jt_0014.html',
  },
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
} satisfies Record<string, Preset>;

export type PresetName = keyof typeof catalogue;

/** Every preset by its name. Only defaults that were confirmed at their source are here. */
export const presets: Readonly<Record<PresetName, Preset>> = catalogue;
export const presetNames = Object.keys(catalogue) as [PresetName, ...PresetName[]];
