import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { declaring, deployment, policy, runtimeClass, time, yaml } from './manifests.ts';
import { remarked } from './remarked.ts';

describe('keepalive check', () => {
  test.each<[string, object[], RegExp]>([
    [
      'leaves what a RuntimeClass of the input sends to Windows',
      [policy(), deployment({ runtimeClassName: 'iis' }), runtimeClass('iis', 'windows')],
      /^left-alone: .* Windows has no such sysctls/,
    ],
    [
      'refuses sysctls there',
      [deployment({ runtimeClassName: 'iis', ...declaring(time) }), runtimeClass('iis', 'windows')],
      /^pod-refused: sysctls cannot be set for a windows pod/,
    ],
    [
      'does not know one that is not in the input',
      [policy(), deployment({ runtimeClassName: 'iis' })],
      /^unknown-runtime-class: whether RuntimeClass iis is of Windows, where pods with sysctls fail, cannot be told/,
    ],
  ])('%s', async (_sentence, objects, expected) => {
    const said = await remarked(yaml(...objects));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(expected);
  });

  test.each<[string, object[]]>([
    ['of Linux', [deployment({ runtimeClassName: 'gvisor' }), runtimeClass('gvisor', 'linux')]],
    [
      'whatever it is of, where the template says its system',
      [deployment({ runtimeClassName: 'gvisor', os: { name: 'linux' } })],
    ],
    [
      'whatever it is of, where the template selects nodes of Linux',
      [deployment({ runtimeClassName: 'gvisor', nodeSelector: { 'kubernetes.io/os': 'linux' } })],
    ],
  ])('has nothing to say of one %s', async (_sentence, objects) => {
    expect(await remarked(yaml(policy(), ...objects))).toEqual([]);
  });
});

test('keepalive render leaves pods as they are that a RuntimeClass of the input sends to Windows', async () => {
  const render = (os: string) => {
    const text = yaml(policy(), deployment({ runtimeClassName: 'iis' }), runtimeClass('iis', os));
    return keepalive(['render', '-f', '-', '-n', 'db'], { stdin: text });
  };
  const onWindows = await render('windows');
  expect(onWindows.stdout).not.toContain('tcp_keepalive_time');
  expect(onWindows.stderr).toContain('Windows has no such sysctls');
  expect((await render('linux')).stdout).toContain('tcp_keepalive_time');
});
