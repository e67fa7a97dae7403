import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { cluster, policy, settings, yaml } from './manifests.ts';
import { remarked } from './remarked.ts';
import { behind90 } from './rendered.ts';

describe('keepalive check', () => {
  const below120 = 'may declare no idle timeout below 120 s';
  const switchedOff = 'switched-off: policies change nothing: acting is Audit';
  const tooMany = 'beyond-limits: a namespace of this cluster may have 1, by age and then by name';

  test.each<[string, object[], string[]]>([
    ['of the cluster', [settings({ smallestIdleTimeoutSeconds: '120' }), policy()], [below120]],
    [
      'and of several the one of the namespace of the operator',
      [
        settings({ smallestIdleTimeoutSeconds: '120' }),
        settings({ smallestIdleTimeoutSeconds: '60' }, { namespace: 'shop' }),
        policy(),
      ],
      [below120],
    ],
    [
      'wherever the other stands',
      [
        settings({ smallestIdleTimeoutSeconds: '60' }, { namespace: 'shop' }),
        settings({ smallestIdleTimeoutSeconds: '120' }),
        policy(),
      ],
      [below120],
    ],
    [
      'from no object of another group',
      [{ ...settings({ smallestIdleTimeoutSeconds: '120' }), apiVersion: 'example.com/v1' }, policy()],
      [],
    ],
    ['that let no policy act', [settings({ acting: 'Audit' }), policy()], [switchedOff]],
    [
      'that let no policy act, where none would',
      [settings({ acting: 'Audit' }), policy({ mode: 'Audit' })],
      [],
    ],
    [
      'of how many policies a namespace may have',
      [settings({ policiesPerNamespace: '1' }), policy({}, { name: 'b' }), policy({}, { name: 'a' })],
      [tooMany],
    ],
    [
      'of which namespaces and the policies of the cluster have their own',
      [
        settings({ policiesPerNamespace: '1' }),
        policy(),
        policy({}, { namespace: 'shop' }),
        cluster({ podSelector: { matchLabels: { app: 'mongo' } } }),
      ],
      [],
    ],
  ])('reads settings %s', async (_sentence, objects, expected) => {
    const said = await remarked(yaml(...objects));
    expect(said).toEqual(expected.map((words) => expect.stringContaining(words)));
  });
});

describe('keepalive render', () => {
  const pod =
    'apiVersion: v1\nkind: Pod\nmetadata: { name: mongo, namespace: db }\nspec:\n  containers: []\n';

  test.each(['Audit', 'AuditAndRestore'])(
    'changes nothing where the settings say %s, and says so',
    async (acting) => {
      const stdin = `${yaml(settings({ acting }))}---\n${behind90}---\n${pod}`;
      const { code, stdout, stderr } = await keepalive(['render'], { stdin });
      expect({ code, stdout }).toEqual({ code: 0, stdout: stdin });
      expect(stderr).toContain(
        `ConfigMap keepalive-system/keepalive-settings: policies change nothing: acting is ${acting}`,
      );
    },
  );

  test('renders nothing where a namespace has more policies than the settings allow', async () => {
    const stdin = yaml(settings({ policiesPerNamespace: '0' }), policy());
    const { code, stdout, stderr } = await keepalive(['render'], { stdin });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('a namespace of this cluster may have 0');
  });
});
