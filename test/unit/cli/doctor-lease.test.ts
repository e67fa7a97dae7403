import { describe, expect, test } from '@jest/globals';

import { diagnose } from '../../../src/cli/diagnosis.ts';
import type { DoctorFacts } from '../../../src/cli/doctor-facts.ts';
import type { Sketch } from './diagnosed.ts';
import { deployment, fine, lease, objects } from './diagnosed.ts';

const controllerWith = (container: object): Sketch => ({
  ...deployment(2, 2),
  spec: { replicas: 2, template: { spec: { containers: [{ name: 'controller', ...container }] } } },
});
/** Its container has this, and these Leases are there. */
const having = (container: object, ...leases: readonly Sketch[]): Partial<DoctorFacts> => ({
  deployments: objects(controllerWith(container)),
  leases: objects(...leases),
});
const told = (check: string, facts: Partial<DoctorFacts>) =>
  diagnose({ ...fine, ...facts })
    .filter((one) => one.check === check)
    .map(({ is, text }) => `${is}: ${text}`);

const env = (value: string) => ({ env: [{ name: 'LEASE_NAME', value }] });
const valueFrom = {
  env: [{ name: 'LEASE_NAME', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } }],
};
const envFrom = { envFrom: [{ configMapRef: { name: 'a' } }] };
const stale = lease('keepalive-controller', 3600);

describe('the Lease of a controller is the one that', () => {
  test.each<[string, object]>([
    ['its variable names', env('mine')],
    ['its flag names', { args: ['controller', '--lease-name=mine'] }],
    ['its flag names in a word of its own', { args: ['controller', '--lease-name', 'mine'] }],
    ['its command names', { command: ['node', '/app/main.mjs', 'controller', '--lease-name=mine'] }],
    ['its flag names, whatever its variable does', { ...env('other'), args: ['--lease-name=mine'] }],
    ['the last of its flags names', { args: ['--lease-name', 'other', '--lease-name=mine'] }],
  ])('%s', (_, container) => {
    expect(told('controller', having(container, stale, lease('mine', 3)))).toContain('fine: mine acts');
    expect(told('controller', having(container, stale))).toContain(
      'wrong: no controller has taken the Lease mine, so none acts',
    );
    expect(told('clocks', having(container, lease('mine', -90)))).toEqual([
      expect.stringContaining('the node of the controller (90 s ahead)'),
    ]);
  });

  test.each<[string, object]>([
    ['no variable', {}],
    ['an empty variable', env('')],
    ['a variable of another name', { env: [{ name: 'LOG_LEVEL', value: 'debug' }] }],
  ])('has the name of its own where there is %s', (_, container) => {
    const facts = having(container, lease('keepalive-controller', 3));
    expect(told('controller', facts)).toContain('fine: keepalive-controller acts');
  });

  test.each<[string, object]>([
    ['its name is kept elsewhere', valueFrom],
    ['all variables of a ConfigMap are its own', envFrom],
    ['its flag names a variable', { args: ['--lease-name=$(RELEASE)-controller'] }],
    ['its flag names a variable in a word of its own', { args: ['--lease-name', '$(RELEASE)'] }],
    ['its variable names another', env('$(RELEASE)-controller')],
  ])('nobody knows where %s', (_, container) => {
    expect(told('controller', having(container, stale))).toContainEqual(
      expect.stringMatching(/^unknown: whether a controller acts: the name of its Lease/),
    );
  });

  test.each<[string, object, string]>([
    ['a variable', env('mine'), 'mine'],
    ['an empty variable', env(''), 'keepalive-controller'],
    ['a flag', { args: ['--lease-name=mine'] }, 'mine'],
  ])('is not what a ConfigMap says where %s of its own does', (_, container, name) => {
    const facts = having({ ...envFrom, ...container }, lease(name, 3));
    expect(told('controller', facts)).toContain(`fine: ${name} acts`);
  });

  test('nobody knows whose Deployments may not be read', () => {
    const deployments = { known: false, why: 'you may not list deployments' } as const;
    expect(told('clocks', { deployments })).toContain(
      "unknown: whether the clock of the controller's node agrees: you may not list deployments",
    );
  });

  test('no other workload says', () => {
    const other = { ...controllerWith(env('x')), metadata: { name: 'other', labels: {} } };
    expect(told('controller', { deployments: objects(deployment(2, 2), other) })).toContain(
      'fine: keepalive-controller acts',
    );
  });
});
