import { afterAll, beforeAll, describe } from '@jest/globals';

import { agreementTests } from '../e2e/agreement.ts';
import { newerSpecTests } from '../e2e/newer-spec.ts';
import { newPodTests } from '../e2e/new-pod.ts';
import { readyMomentTests, refusedQuestionTests } from '../e2e/ready-moment.ts';
import { refusalTests } from '../e2e/refusal.ts';
import { lateWebhook, takeBackTests } from '../e2e/take-back.ts';
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
  describe('where it is in the way', () => {
    refusalTests(bench);
  });
});
