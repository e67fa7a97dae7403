import { once } from 'node:events';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { discover } from '../../src/agent/discover.ts';
import { Machine } from './machine.ts';
import { script } from './script.ts';

let machine: Machine;
beforeEach(async () => {
  machine = await Machine.start();
});
afterEach(() => machine.stop());

test.each([
  ['with its settings', { mode: 'ipvs', ipvsTcpTimeout: '15m0s' }],
  ['with groups that are null', { mode: 'ipvs' }],
  ['without an end', { mode: 'ipvs' }],
  ['with a gibibyte', { mode: 'ipvs' }],
  ['with nothing', { mode: 'ipvs' }],
])('what the host forgets is told where its kube-proxy answers %s', async (manner, kubeProxy) => {
  const { trackers } = discover(machine.procRoot);
  const proxy = machine.host.spawn([...script('played-proxy.ts'), manner], { cwd: '/' });
  await once(proxy.stdout ?? proxy, 'data');
  expect(discover(machine.procRoot)).toEqual({ trackers, kubeProxy });
});

test.each(['unreachable', 'prohibit'])('and where the loopback is %s', async (kind) => {
  const { trackers } = discover(machine.procRoot);
  await machine.host.ip('addr del 127.0.0.1/8 dev lo', `route add ${kind} 127.0.0.0/8`);
  expect(discover(machine.procRoot)).toEqual({ trackers, kubeProxy: undefined });
});
