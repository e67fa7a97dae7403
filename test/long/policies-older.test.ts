import { afterAll, beforeAll, describe } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { agreementTests } from '../e2e/agreement.ts';
import { newPodTests } from '../e2e/new-pod.ts';
import { refusalTests } from '../e2e/refusal.ts';
import { Bench } from '../e2e/shared.ts';
import { latePolicy, takeBackTests } from '../e2e/take-back.ts';
import { asksMs } from './asked.ts';

/** The oldest line on which the API server changes new pods itself: what is said of it on 1.37, said of 1.36. */
const kubernetes = '1.36.3';
let cluster: Cluster;
let bench: Bench;

beforeAll(async () => {
  cluster = await Cluster.up({ name: 'e2e-policies-older', nodes: 1, kubernetes, owned: true });
  bench = new Bench(cluster);
  await cluster.install();
}, asksMs);
afterAll(() => cluster.down());

describe('policies of 1.36 do what those of 1.37 do', () => {
  describe('case by case', () => {
    agreementTests(() => bench);
  });
  describe('to a new pod', () => {
    newPodTests(() => bench, 'e2e-older-new');
  });
  describe('and take back what another policy makes impossible', () => {
    takeBackTests(() => bench, 'e2e-older-late', latePolicy);
  });
  describe('where something is in the way', () => {
    refusalTests(() => bench);
  });
});
