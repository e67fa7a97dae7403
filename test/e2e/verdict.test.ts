import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { fieldText } from '../../src/api/schema-node.ts';
import { verdictOn } from '../../src/api/verdict.ts';
import { specimens } from '../unit/api/specimens.ts';
import { Bench } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-verdict';

beforeAll(() => bench.namespace(namespace));
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

/** Line by line what the API server has against an object, as kubectl prints it. */
async function answerTo(object: unknown): Promise<string[]> {
  const argv = ['create', '--dry-run=server', '--validate=false', '-n', namespace, '-f', '-'];
  const { stderr, code } = await bench.cluster.exec(['kubectl', ...argv], { stdin: JSON.stringify(object) });
  if (code === 0) return [];
  const [, said = stderr] = /^The \w+ "[^"]*" is invalid: ([^]*)$/.exec(stderr.trim()) ?? [];
  return said
    .split('\n')
    .map((line) => line.replace(/^\* /, ''))
    .filter((line) => line !== '')
    .sort();
}

describe('what is said without an API server is what the API server says, word by word', () => {
  test.each(specimens)('%s', async (_sentence, { kind, spec, name = 'specimen' }) => {
    const object = { apiVersion: 'keepalive.dev/v1alpha1', kind, metadata: { name }, spec };
    const said = verdictOn(kind, object).map(
      ({ path, body, nowhere }) => `${nowhere ? '<nil>' : fieldText(path)}: ${body}`,
    );
    expect([...new Set(said)].sort()).toEqual(await answerTo(object));
  });
});
