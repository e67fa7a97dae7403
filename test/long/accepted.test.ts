import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { GROUP, plurals, VERSION } from '../../src/api/group.ts';
import { pathOf } from '../../src/kube/resource.ts';
import { post } from '../cluster/api.ts';
import { Cluster } from '../cluster/cluster.ts';
import { runOrThrow } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import { Bench } from '../e2e/shared.ts';
import { sourceBefore, versionBefore } from '../support/version-before.ts';
import type { Specimen } from '../unit/api/specimen.ts';

/** What docs/api-changes.md says of kinds, on an API server alone: specimens select all that there is, and nobody acts by them. */
let cluster: Cluster;
let bench: Bench;
const work = mkdtempSync(join(tmpdir(), 'keepalive-accepted-'));
const before = join(work, 'before');
const namespace = 'accepted';
const definitions = Object.values(plurals).map((plural) => `${plural}.${GROUP}`);

interface Stored {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly kind: string;
  readonly spec: object;
}
interface Definition {
  readonly spec: { readonly versions: readonly { readonly name: string; readonly served: boolean }[] };
  readonly status: { readonly storedVersions: readonly string[] };
}

/** What the tests of that version call valid, by its own list of them. */
async function specimensOf(folder: string): Promise<Specimen[]> {
  const list = `const { specimens } = await import('./test/unit/api/specimens.ts');
    const valid = specimens.filter((row) => row.length === 2);
    console.log(JSON.stringify(valid.map(([, specimen]) => specimen)));`;
  const argv = [process.execPath, '--input-type=module', '-e', list];
  return JSON.parse(await runOrThrow(argv, { cwd: folder, env: process.env })) as Specimen[];
}

async function serve(root: string): Promise<void> {
  await cluster.kubectl('apply', '--server-side', '-k', join(root, 'crds'));
  await bench.untilServed(...definitions);
}

/** The spec as the API server would store it, or why it would not. */
async function taken({ kind, spec }: Specimen, name: string, query = ''): Promise<object> {
  const home = kind === 'ClusterKeepalivePolicy' ? {} : { namespace };
  const path = pathOf({ group: GROUP, version: VERSION, plural: plurals[kind], ...home });
  const apiVersion = `${GROUP}/${VERSION}`;
  const asked = `${path}?fieldValidation=Strict${query}`;
  const { status, body } = await post(cluster.apiSocket, asked, {
    apiVersion,
    kind,
    metadata: { name },
    spec,
  });
  return status === 201 ? (JSON.parse(body) as Stored).spec : { refused: body };
}

const stored = async () => (await bench.json<{ items: Stored[] }>('kap,ckap', '-A')).items;

describe(`what the kinds of ${versionBefore} took`, () => {
  let specimens: readonly Specimen[];
  let specs: readonly object[];

  beforeAll(async () => {
    mkdirSync(before);
    await sourceBefore(before);
    specimens = await specimensOf(before);
    cluster = await Cluster.up({ name: 'e2e-accepted', isBare: true, owned: true });
    bench = new Bench(cluster);
    await serve(before);
    await cluster.kubectl('create', 'namespace', namespace);
    const all: object[] = [];
    for (const [at, specimen] of specimens.entries()) all.push(await taken(specimen, `stored-${at}`));
    specs = all;
    await serve(repository);
    // When an API server that runs goes over to another schema nobody says.
    await cluster.component('apiserver').stop();
    await cluster.component('apiserver').start();
  }, 600_000);
  afterAll(async () => {
    rmSync(work, { recursive: true });
    await cluster.down();
  });

  test('is all of what was valid then, of either kind', () => {
    expect(specs.filter((spec) => 'refused' in spec)).toEqual([]);
    expect(specs.length).toBeGreaterThan(25);
    expect([...new Set(specimens.map(({ kind }) => kind))]).toEqual([
      'KeepalivePolicy',
      'ClusterKeepalivePolicy',
    ]);
  });

  test('is taken anew by the kinds of this version, and asks for the same', async () => {
    for (const [at, specimen] of specimens.entries())
      expect([specimen, await taken(specimen, `new-${at}`, '&dryRun=All')]).toEqual([specimen, specs[at]]);
  });

  test('is there as it was, and may be written again as it is, which changes nothing', async () => {
    const read = await stored();
    const named = new Map(read.map(({ metadata: { name }, spec }) => [name, spec]));
    expect(named).toEqual(new Map(specs.map((spec, at) => [`stored-${at}`, spec])));
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: read });
    const { code, stderr } = await cluster.exec(['kubectl', 'replace', '-f', '-'], { stdin });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    const content = ({ metadata: { name, generation }, spec }: Stored) => ({ name, generation, spec });
    expect((await stored()).map(content)).toEqual(read.map(content));
  });

  test('is stored in versions that are served', async () => {
    for (const name of definitions) {
      const { spec, status } = await bench.json<Definition>('crd', name);
      const served = spec.versions.filter((one) => one.served).map((one) => one.name);
      expect(status.storedVersions).toContain(VERSION);
      expect(served).toEqual(expect.arrayContaining([...status.storedVersions]));
    }
  });
});
