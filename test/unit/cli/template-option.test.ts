import { describe, expect, test } from '@jest/globals';

import { deployment, policy, yaml } from './manifests.ts';
import { remarked } from './remarked.ts';

describe('a kind that is told by --template', () => {
  const rollout = { ...deployment(), apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' };
  const text = yaml(policy({ podSelector: {} }), deployment({}, 'shop'), rollout);

  test('has its pods looked at', async () => {
    expect(await remarked(text)).toEqual([expect.stringContaining('selects-nothing')]);
    expect(await remarked(text, '--template', 'Rollout.argoproj.io=spec.template')).toEqual([]);
  });

  test('is remarked upon where none of it has anything at the path', async () => {
    const remarks = await remarked(text, '--template', 'Rollout.argoproj.io=spec.podTemplate');
    expect(remarks).toContainEqual(
      expect.stringMatching(
        /^no-template: nothing is at spec\.podTemplate, where --template looks for pods of a Rollout/,
      ),
    );
  });

  test('is not where only one of several, such as a patch, has nothing there', async () => {
    const patch = yaml({ ...rollout, metadata: { name: 'other' }, spec: { replicas: 2 } });
    expect(await remarked(`${text}---\n${patch}`, '--template', 'Rollout.argoproj.io=spec.template')).toEqual(
      [],
    );
  });
});
