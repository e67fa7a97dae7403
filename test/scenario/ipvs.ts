import { presets } from '../../src/api/presets.ts';
import { ipvsPackages } from '../cluster/director.ts';
import { provide } from '../cluster/prepare.ts';
import { idleClient, idleServer, port } from './idle.ts';
import type { Scenario } from './scenario.ts';

const forgetsAfterSeconds = 4;

export const ipvs: Scenario = {
  name: 'ipvs',
  story:
    `An IPVS director of a Debian kernel lends the server an address of its own, as a kube-proxy in IPVS mode does. ` +
    `It forgets an idle connection, after 900 s by default and ${forgetsAfterSeconds} s here, and answers the next packet with an RST.`,
  packages: ['qemu-system-x86'],
  build: async (stage) => {
    await provide({ unpacked: [ipvsPackages] }, stage.signal);
    const director = await stage.ipvsDirector({
      ...{ name: 'director', outside: 'server' },
      ...{ forgetsAfterSeconds, port },
    });
    await stage.serve(director.outside, idleServer(), port);
    const { idleTimeoutSeconds } = presets['kube-proxy-ipvs'];
    return {
      path: [{ name: 'ipvs', type: 'IPVS', idleTimeoutSeconds: forgetsAfterSeconds }],
      ways: [
        {
          name: 'to the address that the director lends',
          client: idleClient(director.address, 3 * forgetsAfterSeconds),
          without: ['ECONNRESET (104)'],
          with: 'alive',
        },
      ],
      expects: () => [
        {
          what: `the kernel's own default is what the preset kube-proxy-ipvs says, ${idleTimeoutSeconds} s`,
          held: director.defaultSeconds === idleTimeoutSeconds,
          seen: `Linux ${director.kernel}: ${director.defaultSeconds} s`,
        },
      ],
    };
  },
};
