import { expect, test } from '@jest/globals';

import { admission } from '../../../src/cli/doctor-api.ts';
import { fenceAround } from '../../../src/policy/installation.ts';
import { fine, installedIn, objects } from './diagnosed.ts';

const platform = { controller: 'platform', agents: 'platform' };
const [policy, binding] = fenceAround('platform');
const around = {
  validatingPolicies: objects(policy as never),
  validatingBindings: objects(binding as never),
};

test('the fence is to be around the namespace that the controller is in', () => {
  const [elsewhere] = admission({ ...fine, ...installedIn(platform), ...around });
  expect(elsewhere?.is).toBe('fine');
  const [told] = admission({ ...fine, ...around });
  expect(told).toMatchObject({ is: 'wrong' });
  expect(told?.text).toContain('dry-run.keepalive.dev differs in spec.matchConstraints.namespaceSelector');
});
