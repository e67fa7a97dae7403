import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { layOver, unpacked } from '../cluster/unpacked.ts';
import { idleClient, idleServer, port } from './idle.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

const haproxy = unpacked('haproxy', ['haproxy']);
const forgetsAfterSeconds = 4;
const proxyTimeoutSeconds = 6;
/** What the finding advises: a timeout of the proxy's own that is longer than any silence. */
const raisedSeconds = 3600;
const ports = { short: 7001, raised: 7002 };

/** Between proxy and server; outside the networks that test/cluster hands out. */
const behind = { proxy: ['10.98.0.1/30', 'fd00:98::1/64'], server: ['10.98.0.2/30', 'fd00:98::2/64'] };
const server = '10.98.0.2';

export const proxy: Scenario = {
  name: 'proxy',
  story:
    `Behind a NAT stands a HAProxy, which ends TCP on either side and counts data. It closes what carries none for ` +
    `${proxyTimeoutSeconds} s, and no keepalive probe carries any.`,
  needs: { unpacked: [haproxy] },
  build: async (stage) => {
    const nat = await stage.nat({
      ...{ name: 'nat', kind: 'snat', then: 'reset', outside: 'haproxy' },
      forgetsAfterSeconds,
    });
    await layOver(nat.outside, haproxy);
    await startServerBehind(stage, nat.outside);
    const file = join(stage.folder('haproxy'), 'haproxy.cfg');
    writeFileSync(file, configuration());
    await stage.serve(nat.outside, ['haproxy', '-db', '-f', file], ports.raised);
    const client = (on: number) => idleClient(nat.address, 3 * forgetsAfterSeconds, { on });
    return {
      path: [
        { name: 'office-nat', type: 'NAT', idleTimeoutSeconds: forgetsAfterSeconds },
        { name: 'haproxy', type: 'Proxy', idleTimeoutSeconds: proxyTimeoutSeconds },
      ],
      ways: [
        {
          name: `a proxy that closes after ${proxyTimeoutSeconds} s without data: keepalive does not help`,
          client: client(ports.short),
          without: ['ECONNRESET (104)'],
          with: ['closed by the peer'],
        },
        {
          name: `the same proxy with its own timeout raised, as the policy's finding advises`,
          client: client(ports.raised),
          without: ['ECONNRESET (104)'],
          with: 'alive',
        },
      ],
      expects: ({ findings = [] }) => {
        const finding = findings.find(({ reason, hop }) => reason === 'ProxyHop' && hop === 'haproxy');
        return [
          {
            what: `the policy's status says beforehand that keepalive does not help there (finding ProxyHop)`,
            held: finding !== undefined,
            seen: finding?.message ?? 'no such finding',
          },
        ];
      },
    };
  },
};

async function startServerBehind(stage: Stage, host: Awaited<ReturnType<Stage['host']>>): Promise<void> {
  const behindIt = await stage.host('server');
  await stage.cluster.lab.link(
    { host, device: 'server', addresses: behind.proxy },
    { host: behindIt, device: 'proxy', addresses: behind.server },
  );
  await stage.serve(behindIt, idleServer(), port);
}

function configuration(): string {
  const listen = (name: keyof typeof ports, seconds: number) => `
listen ${name}
  bind :::${ports[name]} v4v6
  timeout client ${seconds}s
  timeout server ${seconds}s
  server server ${server}:${port}
`;
  return `
global
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
${listen('short', proxyTimeoutSeconds)}${listen('raised', raisedSeconds)}`;
}
