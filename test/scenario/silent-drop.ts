import { idleClient, idleServer, port } from './idle.ts';
import type { Scenario } from './scenario.ts';

/** `idle` does, for an answer. */
const waitSeconds = 10;

/** With a router that forgets after so many seconds. */
export const silentDropAfter = (forgetsAfterSeconds: number): Scenario => ({
  name: 'silent-drop',
  story:
    'A home router forgets an idle connection and drops its next packet in silence: nobody is told, and the program waits.',
  build: async (stage) => {
    const router = await stage.nat({
      ...{ name: 'router', kind: 'snat', then: 'silence', outside: 'server' },
      forgetsAfterSeconds,
    });
    await stage.serve(router.outside, idleServer(), port);
    /*
     * Instead of the 15 minutes that Linux is patient by default. Longer than the path remembers: a program with less gives a
     * connection up after fewer lost probes than ours, and keepalive, which would make it more fragile, is not forced on it.
     */
    const patienceSeconds = forgetsAfterSeconds + 1;
    const silentSeconds = 3 * forgetsAfterSeconds;
    return {
      path: [{ name: 'home-router', type: 'NAT', idleTimeoutSeconds: forgetsAfterSeconds }],
      ways: [
        {
          name: `a program that waits for an answer for ${waitSeconds} s`,
          client: idleClient(router.address, silentSeconds),
          without: [`no answer within ${waitSeconds} s`],
          with: 'alive',
        },
        // Where the kernel is to be the first to give up: the program waits no longer than that.
        ...(patienceSeconds < waitSeconds
          ? [
              {
                name: 'a program that waits for as long as its kernel does',
                client: idleClient(router.address, silentSeconds, {
                  more: ['--give-up', `${patienceSeconds}`],
                }),
                without: ['ETIMEDOUT (110)'],
                with: 'alive' as const,
              },
            ]
          : []),
      ],
    };
  },
});

export const silentDrop = silentDropAfter(4);
