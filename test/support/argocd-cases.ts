import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { parse } from 'yaml';

import { repository } from '../cluster/place.ts';

/** What Argo CD is to say of objects that were taken from a cluster, in the layout of its own repository. */
const folder = join(repository, 'deploy/argocd/keepalive.dev');
export const argoKinds = ['KeepalivePolicy', 'ClusterKeepalivePolicy', 'NodeKeepalive'] as const;

export interface HealthCase {
  readonly kind: string;
  /** Of the object, below the root of the file system. */
  readonly path: string;
  readonly name: string;
  readonly health: { readonly status: string; readonly message: string };
}

export interface ActionCases {
  readonly discovery: readonly {
    readonly name: string;
    readonly path: string;
    readonly names: readonly string[];
  }[];
  readonly runs: readonly { readonly action: string; readonly from: string; readonly to: string }[];
}

interface HealthTests {
  readonly tests: readonly {
    readonly inputPath: string;
    readonly healthStatus: HealthCase['health'];
  }[];
}

interface ActionTests {
  readonly discoveryTests: readonly {
    readonly inputPath: string;
    readonly result: readonly { name: string }[];
  }[];
  readonly actionTests: readonly {
    readonly action: string;
    readonly inputPath: string;
    readonly expectedOutputPath: string;
  }[];
}

export const scriptOf = (kind: string, path: string) => readFileSync(join(folder, kind, path), 'utf8');
export const objectAt = (path: string) => parse(readFileSync(path, 'utf8')) as unknown;

const nameOf = (path: string) => basename(path, '.yaml');

export const healthCases: readonly HealthCase[] = argoKinds.flatMap((kind) =>
  (parse(scriptOf(kind, 'health_test.yaml')) as HealthTests).tests.map(({ inputPath, healthStatus }) => ({
    kind,
    name: nameOf(inputPath),
    path: join(folder, kind, inputPath),
    health: healthStatus,
  })),
);

const coveredHealth: Readonly<Record<string, string>> = {
  'progressing-created': 'Progressing',
  'progressing-awaiting-nodes': 'Progressing',
  'healthy-covered': 'Healthy',
  'healthy-not-covered': 'Progressing',
  'healthy-switched-off': 'Healthy',
  'suspended-audit': 'Healthy',
  'degraded-stalled': 'Degraded',
  'degraded-operator-removed': 'Progressing',
  // It selects the node too, which was not covered when they were taken.
  'ClusterKeepalivePolicy healthy-switched-off': 'Progressing',
  'ClusterKeepalivePolicy suspended-audit': 'Progressing',
};

/** The status by the script that docs/argocd.md offers whoever takes covered for healthy. */
export const coveredHealthOf = ({ kind, name }: Pick<HealthCase, 'kind' | 'name'>) =>
  coveredHealth[`${kind} ${name}`] ?? coveredHealth[name];

export const actionCases: readonly (ActionCases & { readonly kind: string })[] = argoKinds
  .filter((kind) => existsSync(join(folder, kind, 'actions')))
  .map((kind) => {
    const tests = parse(scriptOf(kind, 'actions/action_test.yaml')) as ActionTests;
    const at = (path: string) => join(folder, kind, 'actions', path);
    return {
      kind,
      discovery: tests.discoveryTests.map(({ inputPath, result }) => ({
        name: nameOf(inputPath),
        path: at(inputPath),
        names: result.map(({ name }) => name),
      })),
      runs: tests.actionTests.map(({ action, inputPath, expectedOutputPath }) => ({
        ...{ action, from: at(inputPath), to: at(expectedOutputPath) },
      })),
    };
  });
