import { expect, test } from '@jest/globals';

import { diagnose } from '../../../src/cli/diagnosis.ts';
import type { DoctorFacts } from '../../../src/cli/doctor-facts.ts';
import { diagnosisWriters } from '../../../src/cli/doctor-output.ts';
import { fine, objects } from './diagnosed.ts';

test('the text names the cluster, has what is wrong first, each with its fix, and says how it ends', () => {
  const plain = (facts: Partial<DoctorFacts>) =>
    diagnosisWriters.text(diagnose({ ...fine, ...facts }), {
      style: (_how, words) => words,
      where: 'context here, https://10.0.0.1:6443',
    });
  expect(
    plain({ mutatingBindings: objects(), nodes: { known: false, why: 'you may not list nodes' } }),
  ).toMatch(
    /^context here, https:\/\/10\.0\.0\.1:6443\n\nwrong {4}admission: .*\n {9}fix: kubectl apply .*\nunknown {2}agents: .*you may not list nodes\nunknown {2}clocks: .*\nfine {5}Kubernetes: [^]*\n\n1 thing to mend, 2 checks could not be made\.\n$/,
  );
  expect(plain({})).toMatch(/\n\nNothing keeps the product from working here\.\n$/);
});
