import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { labSettings } from '../cluster/install.ts';
import { agreementTests } from '../e2e/agreement.ts';
import { limitedTests } from '../e2e/limited.ts';
import { newerSpecTests } from '../e2e/newer-spec.ts';
import { newPodTests } from '../e2e/new-pod.ts';
import { readyMomentTests, refusedQuestionTests } from '../e2e/ready-moment.ts';
import { refusalTests } from '../e2e/refusal.ts';
import { rightToAskTests } from '../e2e/right-to-ask.ts';
import { condition, kap, sleeper } from '../e2e/shared.ts';
import type { Off } from '../e2e/switched-off.ts';
import { leftAloneTests, untilOff } from '../e2e/switched-off.ts';
import { lateWebhook, takeBackTests } from '../e2e/take-back.ts';
import { sysctls } from '../support/builder.ts';
import { Asked, asksMs, youngest } from './asked.ts';

/** What is said of admission by policies, said of the webhook: the same tests, on a cluster that serves no such policies. */
let asked: Asked;

beforeAll(async () => {
  asked = await Asked.up('e2e-asked', youngest);
}, asksMs);
afterAll(() => asked.down());

const bench = () => asked.bench;

describe('the webhook does what policies do', () => {
  describe('case by case', () => {
    agreementTests(bench);
  });
  describe('to a pod', () => {
    newPodTests(bench, 'e2e-asked-new');
  });
  describe('and takes back what another webhook makes impossible', () => {
    takeBackTests(bench, 'e2e-asked-late', lateWebhook);
  });
  describe('as soon as it is said', () => {
    readyMomentTests(bench, 'e2e-asked');
    refusedQuestionTests(bench, 'e2e-asked');
  });
  newerSpecTests(bench, 'e2e-asked-newer');
  describe('where the cluster allows less', () => {
    afterAll(() => bench().resetSettings('lab'));
    limitedTests(bench, 'e2e-asked-limited');
  });
  describe.each<Off>(['Audit', 'AuditAndRestore'])('switched off by acting: %s', (acting) => {
    const namespace = `e2e-asked-${acting.toLowerCase()}`;
    const team = { kind: 'kap', name: 'team', namespace } as const;
    const off = { acting, policies: [team], namespace };
    beforeAll(async () => {
      await bench().namespace(namespace);
      await bench().apply(kap(namespace, 'team', 90));
      await bench().status(team);
      await untilOff(bench(), off);
    });
    afterAll(() => bench().cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

    leftAloneTests(bench, off);
    test('and switched on again it acts', async () => {
      await bench().settings({ acting: null });
      await bench().status(team, (s) => condition(s, 'Ready')?.reason === 'Enforced');
      expect(await bench().dryRun(sleeper('new', namespace))).toEqual(sysctls());
    });
  });
  describe('and asks itself as it may', () => {
    rightToAskTests(bench, 'e2e-asked', async () => {
      await bench().cluster.kubectl('apply', '-k', asked.folder);
      await bench().settings(labSettings);
    });
  });
  describe('where it is in the way', () => {
    refusalTests(bench);
  });
});
