import { idleClient, idleServer, port } from './idle.ts';
import type { Scenario } from './scenario.ts';

const near = { name: 'office-nat', forgetsAfterSeconds: 9 };
const far = { name: 'provider-nat', forgetsAfterSeconds: 4 };

export const twoNats: Scenario = {
  name: 'two-nats',
  story: `Two NATs in a row: the near one forgets after ${near.forgetsAfterSeconds} s, the far one after ${far.forgetsAfterSeconds} s. The shorter timeout binds.`,
  build: async (stage) => {
    const first = await stage.nat({ ...near, kind: 'snat', then: 'reset' });
    const second = await stage.nat({
      ...{ ...far, kind: 'snat', then: 'reset' },
      ...{ beyond: first, outside: 'server' },
    });
    await stage.serve(second.outside, idleServer(), port);
    return {
      path: [near, far].map(({ name, forgetsAfterSeconds }) => ({
        ...{ name, type: 'NAT' },
        idleTimeoutSeconds: forgetsAfterSeconds,
      })),
      ways: [
        {
          name: 'through both NATs',
          client: idleClient(second.address, 3 * far.forgetsAfterSeconds),
          without: ['ECONNRESET (104)'],
          with: 'alive',
        },
      ],
      expects: ({ effective }) => [
        {
          what: `the policy's status says that ${far.name} binds`,
          held: effective?.limitedBy === far.name && effective.idleTimeoutSeconds === far.forgetsAfterSeconds,
          seen: `limitedBy ${effective?.limitedBy}, ${effective?.idleTimeoutSeconds} s`,
        },
      ],
    };
  },
};
