import { presets } from '../../src/api/presets.ts';
import type { Discovery } from '../../src/policy/tracker.ts';
import type { Director, DirectorFacts } from '../cluster/director.ts';
import { directorPackages } from '../cluster/director.ts';
import { matrix } from './cell.ts';
import { idleClient, idleServer, port } from './idle.ts';
import type { Check } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

const forgetsAfterSeconds = 4;
const silentSeconds = 3 * forgetsAfterSeconds;
const nodePort = 30_700;

export const ipvs: Scenario = {
  name: 'ipvs',
  story:
    `A node outside the cluster, with a Debian kernel of its own, balances connections by IPVS: for an address that it lends ` +
    `the server, and for a node port, by a kube-proxy in IPVS mode. The kernel would forget an idle connection after 900 s; ` +
    `kube-proxy has told it to do so after ${forgetsAfterSeconds} s. The next packet is answered with an RST.`,
  needs: { unpacked: [directorPackages] },
  build: async (stage) => {
    const director = await stage.director({ name: 'director', outside: 'server' });
    await stage.serve(director.outside, idleServer(), port);
    await stage.apply(...nodePortService(stage, director));
    const facts = await director.boot({ port, nodePort, forgetsAfterSeconds }, stage.signal);
    return {
      path: [{ name: 'ipvs', type: 'IPVS', idleTimeoutSeconds: forgetsAfterSeconds }],
      ways: [
        {
          name: 'to the address that the director lends',
          client: idleClient(director.lent, silentSeconds),
          without: ['ECONNRESET (104)'],
          with: 'alive',
        },
        {
          name: 'to a node port, through a kube-proxy in IPVS mode',
          client: idleClient(director.address, silentSeconds, { on: nodePort }),
          without: ['ECONNRESET (104)'],
          with: 'alive',
          // The services of this cluster are IPv4.
          cells: matrix.filter(({ family }) => family === 'IPv4'),
        },
      ],
      expects: () => checksOf(facts),
    };
  },
};

function checksOf(facts: DirectorFacts): Check[] {
  const { kernel, timeoutSeconds, configz, discoveredUnused, discoveredByIPv6, discovered } = facts;
  const readsIpvs = ({ trackers }: Discovery, seconds: number) =>
    trackers.some(({ type, idleTimeoutSeconds: found }) => type === 'IPVS' && found === seconds);
  const { idleTimeoutSeconds } = presets['kube-proxy-ipvs'];
  const { mode, ipvs: told } = configz['kubeproxy.config.k8s.io'];
  return [
    {
      what: `the kernel's own idle timeout is what the preset kube-proxy-ipvs says, ${idleTimeoutSeconds} s`,
      held: timeoutSeconds.byDefault === idleTimeoutSeconds,
      seen: `${timeoutSeconds.byDefault} s, Linux ${kernel}`,
    },
    {
      what: `kube-proxy's /configz tells the timeout that the kernel has from it, ${forgetsAfterSeconds} s`,
      held:
        mode === 'ipvs' &&
        told.tcpTimeout === `${forgetsAfterSeconds}s` &&
        timeoutSeconds.set === forgetsAfterSeconds,
      seen: `mode ${mode}, ipvs.tcpTimeout ${told.tcpTimeout}; the kernel has ${timeoutSeconds.set} s`,
    },
    {
      what: 'the discovery of the node agent tells of no IPVS where it is loaded and has no virtual service, and of conntrack all the same',
      held:
        discoveredUnused.trackers.some(({ type }) => type === 'Conntrack') &&
        !discoveredUnused.trackers.some(({ type }) => type === 'IPVS'),
      seen: JSON.stringify(discoveredUnused),
    },
    {
      what: 'the discovery of the node agent sees IPVS where all of its virtual services are IPv6',
      held: readsIpvs(discoveredByIPv6, timeoutSeconds.byDefault),
      seen: JSON.stringify(discoveredByIPv6),
    },
    {
      what: 'the discovery of the node agent, run on the director, reads the same from the kernel and from kube-proxy',
      held:
        readsIpvs(discovered, timeoutSeconds.set) &&
        discovered.kubeProxy?.mode === mode &&
        discovered.kubeProxy.ipvsTcpTimeout === told.tcpTimeout,
      seen: JSON.stringify(discovered),
    },
  ];
}

/** Without a selector, it leads to what its EndpointSlice says. */
function nodePortService({ namespace }: Stage, { server }: Director): object[] {
  const metadata = { name: 'server', namespace };
  return [
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: { type: 'NodePort', ports: [{ port, nodePort }] },
    },
    {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [server.v4], conditions: { ready: true } }],
      ports: [{ port, protocol: 'TCP' }],
    },
  ];
}
