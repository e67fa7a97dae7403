import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { signal } from '../cluster/process.ts';
import { agreementTests } from '../e2e/agreement.ts';
import { controllersOf } from '../e2e/controllers.ts';
import { declaredTests } from '../e2e/declared.ts';
import { condition, isReady, sleeper } from '../e2e/shared.ts';
import { Asked, asksMs, secret } from './asked.ts';

/** The oldest two lines that are maintained: what could differ there is what the API server takes and says, and what the kubelet does. */
describe.each(['1.34.4', '1.33.13'])('Kubernetes %s', (kubernetes) => {
  const namespace = `e2e-${kubernetes.replaceAll('.', '-')}`;
  let asked: Asked;

  beforeAll(async () => {
    asked = await Asked.up(namespace, kubernetes);
  }, asksMs);
  afterAll(() => asked.down());

  describe('changes new pods as every other does', () => {
    agreementTests(() => asked.bench);
  });

  describe('says of a policy as it is declared what every other does', () => {
    declaredTests(() => asked.bench);
  });

  test('starts a pod with the values, as ones that are safe, and the policy was seen to act', async () => {
    const { bench, team } = asked;
    await bench.start(sleeper('covered', namespace));
    expect(await bench.valuesIn('covered', namespace)).toBe('30/10/6');
    const status = await bench.status(team, (s) => isReady(s) && s.pods?.live === 1);
    expect(condition(status, 'Ready')?.message).not.toContain('cannot be seen');
    expect(status.pods).toMatchObject({ selected: 1, declared: 1 });
  });

  test('goes on while the certificate is made anew', async () => {
    const seen = await asked.passing.during(async () => {
      await asked.cluster.kubectl('delete', ...secret);
      await asked.bench.until('it is there again', () => asked.bench.exists(...secret));
    });
    expect(seen).toEqual({ given: seen.given, passed: 0 });
  });

  test('starts pods while no replica answers, and the agent gives them the values', async () => {
    for (const one of await controllersOf(asked.bench)) signal(one, 'SIGKILL');
    await asked.bench.start(sleeper('killed', namespace));
    await asked.bench.untilValuesIn('killed', namespace, '30/10/6');
    await asked.untilGiven();
  });
});
