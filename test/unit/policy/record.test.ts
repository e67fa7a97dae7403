import { describe, expect, test } from '@jest/globals';

import { policyRecord } from '../../../src/policy/record.ts';
import { nat } from '../../support/builder.ts';

const read = (spec: object) =>
  policyRecord('KeepalivePolicy', { metadata: { name: 'team', namespace: 'db', uid: 'u' }, spec });
const spec = { podSelector: { matchLabels: { app: 'mongo' } }, path: nat(90) };

describe('a spec', () => {
  test('that is understood is a policy, with what was left out filled in', () => {
    expect(read(spec)).toMatchObject({ policy: { spec: { mode: 'Enforce' } }, problems: undefined });
  });

  test.each<[string, object, string, boolean]>([
    ['with a word that only a newer version knows', { mode: 'Suggest' }, 'mode: ', true],
    [
      'with a field of a newer version',
      { nodeNames: ['n1'] },
      'spec.nodeNames: no such field is known',
      true,
    ],
    [
      'with such a field in a hop',
      { path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: 90, jitterSeconds: 5 }] },
      'spec.path[0].jitterSeconds: no such field is known',
      true,
    ],
    [
      'with such a field in a selector, which may select other pods',
      { podSelector: { matchLabels: { app: 'mongo' }, matchNames: ['x'] } },
      'spec.podSelector.matchNames: no such field is known',
      true,
    ],
    ['that breaks a rule which every version has', { path: [] }, 'path: ', false],
    ['with both is to be corrected first', { path: [], mode: 'Suggest' }, 'mode: ', false],
  ])('%s', (_sentence, change, problem, isNewer) => {
    const record = read({ ...spec, ...change });
    expect(record).toMatchObject({ policy: undefined, isNewer });
    expect(record.problems).toContain(problem);
  });
});
