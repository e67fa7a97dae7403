import { idleClient, idleServer, port } from './idle.ts';
import type { Scenario } from './scenario.ts';

/** With a NAT that forgets after so many seconds. */
export const snatAfter = (forgetsAfterSeconds: number): Scenario => ({
  name: 'snat',
  story:
    'A NAT gives all pods its own address. It forgets an idle connection and answers the next packet with an RST.',
  build: async (stage) => {
    const nat = await stage.nat({
      ...{ name: 'nat', kind: 'snat', then: 'reset', outside: 'server' },
      forgetsAfterSeconds,
    });
    await stage.serve(nat.outside, idleServer(), port);
    return {
      path: [{ name: 'office-nat', type: 'NAT', idleTimeoutSeconds: forgetsAfterSeconds }],
      ways: [
        {
          name: 'through the NAT',
          client: idleClient(nat.address, 3 * forgetsAfterSeconds),
          without: ['ECONNRESET (104)'],
          with: 'alive',
        },
      ],
    };
  },
});

export const snat = snatAfter(4);
