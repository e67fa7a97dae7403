import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { declaredTests } from './declared.ts';
import { Bench, kap } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-api';

beforeAll(() => bench.namespace(namespace));
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

declaredTests(() => bench);

describe('the API', () => {
  test('fills in mode and openConnections and nothing else, so that Git need not say them', async () => {
    await bench.apply(kap(namespace, 'plain', 90));
    const { spec } = await bench.policy({ kind: 'kap', name: 'plain', namespace });
    expect(spec).toEqual({ ...kap(namespace, 'plain', 90).spec, mode: 'Enforce', openConnections: 'Repair' });
  });

  test('has short names and a category', async () => {
    expect(await bench.cluster.kubectl('get', 'keepalive', '-n', namespace)).toContain(
      'keepalivepolicy.keepalive.dev/plain',
    );
    expect(await bench.cluster.kubectl('get', 'ckap')).toBeDefined();
  });

  test('explains a path in sentences', async () => {
    const text = (await bench.cluster.kubectl('explain', 'kap.spec.path')).replaceAll(/\s+/g, ' ');
    expect(text).toContain('Everything between the pods and their peers that forgets idle connections');
    expect(text).toContain('After how many seconds of silence this hop forgets a connection');
  });

  test('prints timeout, time, interval, probes, mode, pods, ready, covered and age', async () => {
    await bench.status({ kind: 'kap', name: 'plain', namespace });
    const [header, row] = (await bench.cluster.kubectl('get', 'kap', 'plain', '-n', namespace)).split('\n');
    expect(header?.split(/\s+/)).toEqual([
      'NAME',
      'TIMEOUT',
      'TIME',
      'INTERVAL',
      'PROBES',
      'MODE',
      'PODS',
      'READY',
      'COVERED',
      'AGE',
    ]);
    const cells = ['plain', '90', '30', '10', '6', 'Enforce', '0/0', 'True', 'Unknown'];
    expect(row?.split(/\s+/).slice(0, 9)).toEqual(cells);
  });
});
