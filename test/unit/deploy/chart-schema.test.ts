import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import type { Value, Values } from '../../../scripts/chart/value.ts';
import { Base } from '../../../scripts/chart/base.ts';
import { chartValues } from '../../../scripts/chart/values.ts';

const all = chartValues(new Base({}));

function valueAt(path: string): Value {
  const found = path.split('.').reduce<unknown>((one, name) => (one as Values)[name], all);
  return found as Value;
}

/** What the API server would refuse, and only after a part of the release is there. */
test.each<[path: string, what: unknown, isTaken: boolean]>([
  ['agent.extraEnv', [{ name: 'LOG_LEVEL', value: 'debug' }], true],
  ['agent.extraEnv', [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }], true],
  ['agent.extraEnv', [{ name: 'A', value: '' }], true],
  ['agent.extraEnv', [{ name: 'RESYNC_SECONDS', value: 60 }], false],
  ['agent.extraEnv', [{ name: '', value: 'a' }], false],
  ['controller.extraEnv', [{ value: 'debug' }], false],
  ['controller.podDisruptionBudget.maxUnavailable', '100%', true],
  ['controller.podDisruptionBudget.maxUnavailable', '5%', true],
  ['controller.podDisruptionBudget.maxUnavailable', '101%', false],
  ['controller.podDisruptionBudget.maxUnavailable', '999%', false],
  ['commonLabels', { team: 'a.b_C-9', empty: '' }, true],
  ['commonLabels', { team: 'a b' }, false],
  ['commonLabels', { team: '-a' }, false],
  ['agent.podLabels', { team: 'a'.repeat(63) }, true],
  ['agent.podLabels', { team: 'a'.repeat(64) }, false],
  ['controller.podLabels', { team: 'a/b' }, false],
  ['controller.podAnnotations', { says: 'whatever it likes' }, true],
])('%s: of %j it is said whether it can be: %s', (path, what, isTaken) => {
  expect(valueAt(path).schema.safeParse(what).success).toBe(isTaken);
});

test('what Helm checks by says so too', () => {
  const file = join(import.meta.dirname, '../../../deploy/chart/values.schema.json');
  const schema = readFileSync(file, 'utf8');
  expect(schema).toContain('^(100|[0-9]{1,2})%$');
});
