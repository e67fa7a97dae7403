import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { PolicyKind } from '../../src/api/group.ts';
import { fieldText } from '../../src/api/schema-node.ts';
import { unknownFields, verdictOn } from '../../src/api/verdict.ts';
import { metadataSpecimens, unknownMetadata } from '../unit/api/metadata-specimens.ts';
import { namespaced } from '../unit/api/specimen.ts';
import { specimens } from '../unit/api/specimens.ts';
import { Bench } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-verdict';

beforeAll(() => bench.namespace(namespace));
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

const { spec } = namespaced({});

/** Line by line what the API server has against an object, as kubectl prints it. */
async function answerTo(object: unknown, validate = 'false'): Promise<string[]> {
  const argv = ['create', '--dry-run=server', `--validate=${validate}`, '-n', namespace, '-f', '-'];
  const { stderr, code } = await bench.cluster.exec(['kubectl', ...argv], { stdin: JSON.stringify(object) });
  if (code === 0) return [];
  const [, unread] = / cannot be handled as a \w+: ([^]*)$/.exec(stderr.trim()) ?? [];
  if (unread !== undefined) return [`<nil>: ${unread}`];
  // kubectl reads metadata itself, as a field of what it calls an object: it says the same words with that field in them.
  const [, undecoded] = /^error: unable to decode "STDIN": ([^]*)$/.exec(stderr.trim()) ?? [];
  if (undecoded !== undefined) return [`<nil>: ${undecoded.replace(/( field \w+\.)metadata\./, '$1')}`];
  const [, said = stderr] = /^The \w+ "[^"]*" is invalid: ([^]*)$/.exec(stderr.trim()) ?? [];
  return said
    .split('\n')
    .map((line) => line.replace(/^\* /, ''))
    .filter((line) => line !== '')
    .sort();
}

/** Its last five characters are random where the API server makes the name. */
function withoutChance(line: string, { generateName }: { readonly generateName?: string }): string {
  const made = new RegExp(`^(metadata\\.name: Invalid value: "${generateName}).{5}"`);
  return generateName === undefined ? line : line.replace(made, '$1xxxxx"');
}

function saidOf(kind: PolicyKind, object: unknown): string[] {
  const said = verdictOn(kind, object).map(
    ({ path, body, nowhere }) => `${nowhere ? '<nil>' : fieldText(path)}: ${body}`,
  );
  return [...new Set(said)].sort();
}

describe('what is said without an API server is what the API server says, word by word', () => {
  test.each(specimens)('%s', async (_sentence, { kind, spec, name = 'specimen' }) => {
    const object = { apiVersion: 'keepalive.dev/v1alpha1', kind, metadata: { name }, spec };
    expect(saidOf(kind, object)).toEqual(await answerTo(object));
  });

  test.each(metadataSpecimens)('of %s', async (_sentence, { kind = 'KeepalivePolicy', metadata }) => {
    const object = { apiVersion: 'keepalive.dev/v1alpha1', kind, metadata, spec };
    const answer = (await answerTo(object)).map((line) => withoutChance(line, metadata));
    expect(saidOf(kind, object)).toEqual(answer.sort());
  });

  test.each(unknownMetadata)('of metadata no schema has %s', async (_sentence, metadata) => {
    const kind = 'KeepalivePolicy';
    const object = {
      ...{ apiVersion: 'keepalive.dev/v1alpha1', kind, spec },
      metadata: { name: 'specimen', ...metadata },
    };
    const fields = unknownFields(kind, object).map((path) => `unknown field "${fieldText(path)}"`);
    const [answer = ''] = await answerTo(object, 'strict');
    expect(answer).toBe(fields.length === 0 ? '' : `<nil>: strict decoding error: ${fields.join(', ')}`);
  });
});
