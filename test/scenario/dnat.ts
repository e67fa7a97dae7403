import { idleClient, idleServer, port } from './idle.ts';
import type { Scenario } from './scenario.ts';

const forgetsAfterSeconds = 4;

export const dnat: Scenario = {
  name: 'dnat',
  story:
    'A load balancer lends the server an address of its own (DNAT). It forgets an idle connection and answers the next packet with an RST.',
  build: async (stage) => {
    const balancer = await stage.nat({
      ...{ name: 'balancer', kind: 'dnat', then: 'reset', outside: 'server' },
      forgetsAfterSeconds,
    });
    await stage.serve(balancer.outside, idleServer(), port);
    return {
      path: [{ name: 'balancer', type: 'LoadBalancer', idleTimeoutSeconds: forgetsAfterSeconds }],
      ways: [
        {
          name: 'to the address that the load balancer lends',
          client: idleClient(balancer.address, 3 * forgetsAfterSeconds),
          without: ['ECONNRESET (104)'],
          with: 'alive',
        },
      ],
    };
  },
};
