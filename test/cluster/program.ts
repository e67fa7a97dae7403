import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { fill, placeFor } from './cache.ts';
import { moduleToChange } from './changed-module.ts';
import { runOrThrow } from './command.ts';
import type { Progress } from './go.ts';
import { build, fetchModule, goEnvironment, isOlder, modules } from './go.ts';
import { defaultKubernetes, replacements, versionIn } from './version.ts';

/** Programs that are built together from one Go module. */
export interface ProgramSet {
  readonly name: string;
  readonly version: string;
  /** Where it is not that of this machine. */
  readonly architecture?: 'arm64';
  readonly programs: readonly string[];
  /** The folder where they are, or will be once built. */
  readonly place: string;
  readonly build: (progress: Progress) => Promise<void>;
}

/** One program under six names: which part it plays is told by the name it is called by. */
const parts = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
];

/** Every program of a cluster with this version of Kubernetes; the slowest comes last. */
export function programSets(kubernetes: string): ProgramSet[] {
  return [
    tools({
      name: 'runc',
      packages: { runc: 'github.com/opencontainers/runc' },
      env: { CGO_ENABLED: '1' },
      flags: ['-tags', 'seccomp'],
    }),
    tools({ name: 'etcd', packages: { etcd: 'go.etcd.io/etcd/server/v3' } }),
    containerd(),
    kubernetesSet(kubernetes, whole),
  ];
}

/** For another machine than this one. */
export interface Elsewhere {
  readonly architecture: 'arm64';
  /** A compiler of C for it, and where libseccomp is for it, as Go is told. */
  readonly env: NodeJS.ProcessEnv;
}

/** What a node runs, and nothing that only the rest of a cluster does. */
export function nodeProgramSets(kubernetes: string, { architecture, env }: Elsewhere): ProgramSet[] {
  const there = { GOARCH: architecture };
  const sets = [
    tools({
      name: 'runc',
      packages: { runc: 'github.com/opencontainers/runc' },
      env: { ...env, ...there, CGO_ENABLED: '1' },
      flags: ['-tags', 'seccomp,osusergo,netgo'],
      // The C library of that machine may be older.
      linking: '-extldflags -static',
    }),
    containerd(there),
    kubernetesSet(kubernetes, { ...ofNode, env: there }),
  ];
  return sets.map((set) => ({ ...set, architecture }));
}

function containerd(env?: NodeJS.ProcessEnv): ProgramSet {
  const names = ['containerd', 'containerd-shim-runc-v2', 'ctr'];
  const path = 'github.com/containerd/containerd/v2/cmd';
  return tools({
    name: 'containerd',
    packages: Object.fromEntries(names.map((name) => [name, `${path}/${name}`])),
    ...(env === undefined ? {} : { env }),
  });
}

/** A MongoDB server with SQLite inside, for who asks for it: no cluster needs it. */
export const ferretDb = () => ownProgram('ferretdb', 'github.com/FerretDB/FerretDB');

/** Says what Flux makes of a status. */
export const fluxHealth = () => ownProgram('flux-health', 'github.com/fluxcd/pkg/runtime');

/** Enforces NetworkPolicy, which the network of the lab does not. */
export const kubeRouter = () => ownProgram('kube-router', 'github.com/cloudnativelabs/kube-router/v2');

/** A main.go of ours, called by the name of its folder; its version is that of the module it is made for. */
function ownProgram(name: string, module: string): ProgramSet {
  const cwd = join(modules, name);
  const inputs = ['go.mod', 'go.sum', 'main.go'].map((file) => readFileSync(join(cwd, file)));
  const version = versionIn(String(inputs[0]), module);
  const place = placeFor('programs', `${name}-${version}`, inputs);
  const buildIt = (progress: Progress) =>
    fill(place, (folder) => {
      const output = join(folder, name);
      return build({ cwd, env: {}, flags: ['-ldflags', '-s -w'], packages: ['.'], output, progress });
    });
  return { name, version, programs: [name], place, build: buildIt };
}

/** Kyverno's admission controller, and the kinds it serves as YAML in the folder `crds`: no cluster needs it. */
export function kyverno(): ProgramSet {
  return tools({
    name: 'kyverno',
    packages: { kyverno: 'github.com/kyverno/kyverno/cmd/kyverno' },
    folders: { crds: 'config/crds' },
  });
}

/** Prometheus and promtool; of all that Prometheus finds its targets by, Kubernetes alone: no cluster needs them. */
export function prometheus(): ProgramSet {
  const path = 'github.com/prometheus/prometheus/cmd';
  return tools({
    name: 'prometheus',
    packages: { promtool: `${path}/promtool`, prometheus: `${path}/prometheus` },
    flags: ['-tags', 'remove_all_sd,enable_kubernetes_sd'],
  });
}

/** Tells Prometheus of objects, by what deploy/monitoring says of ours: no cluster needs it. */
export function kubeStateMetrics(): ProgramSet {
  return tools({
    name: 'kube-state-metrics',
    packages: { 'kube-state-metrics': 'k8s.io/kube-state-metrics/v2' },
  });
}

/** Shows a cluster on a terminal, with views and plugins of deploy/monitoring. */
export function k9s(): ProgramSet {
  return tools({ name: 'k9s', packages: { k9s: 'github.com/derailed/k9s' } });
}

/**
 * Argo CD, whose parts are one program, with its kinds and its usual configuration as YAML: no cluster needs it. Its 3.2.12 does not
 * compile: the controller calls a function that its settings do not have.
 */
export function argoCd(): ProgramSet {
  return tools({
    name: 'argocd',
    packages: { argocd: 'github.com/argoproj/argo-cd/v3/cmd' },
    folders: { crds: 'manifests/crds', config: 'manifests/base/config' },
  });
}

/** The controllers of Flux that read Git and OCI artifacts and apply what they hold, each with the kinds it serves in the folder `crds`. */
export function flux(): ProgramSet[] {
  return ['source-controller', 'kustomize-controller', 'helm-controller'].map((program) =>
    tools({
      name: `flux-${program}`,
      packages: { [program]: `github.com/fluxcd/${program}` },
      folders: { crds: 'config/crd/bases' },
    }),
  );
}

/**
 * Flux's command, which takes along the manifests that it installs: the module does not hold them, and what shows and pushes does not
 * need them. A copy of the module has an empty file in their place.
 */
export function fluxCommand(): ProgramSet {
  const cwd = join(modules, 'flux-command');
  const module = 'github.com/fluxcd/flux2/v2';
  const inputs = ['go.mod', 'go.sum'].map((file) => readFileSync(join(cwd, file)));
  const version = versionIn(String(inputs[0]), module);
  const place = placeFor('programs', `flux-command-${version}`, inputs);
  const buildIt = (progress: Progress) =>
    fill(place, async (folder) => {
      const copy = join(folder, 'module');
      const wanted = { ours: 'flux-command', module, into: copy, signal: progress.signal };
      const manifests = join(await moduleToChange(wanted), 'cmd/flux/manifests');
      mkdirSync(manifests);
      writeFileSync(join(manifests, 'none.yaml'), '');
      const output = join(folder, 'flux');
      await build({
        ...{ cwd: copy, env: {}, flags: ['-ldflags', `-s -w -X main.VERSION=${version}`] },
        ...{ packages: [`${module}/cmd/flux`], output, progress },
      });
      rmSync(copy, { recursive: true });
    });
  return { name: 'flux-command', version, programs: ['flux'], place, build: buildIt };
}

/** For guests that run it instead of containerd; `pinns`, which holds namespaces open, is the C of the same module. */
export function crio(): ProgramSet {
  const stubs = ['containers_image_ostree_stub', 'exclude_graphdriver_btrfs', 'btrfs_noversion'];
  const tags = [...stubs, 'containers_image_openpgp', 'seccomp', 'selinux', 'apparmor'];
  return tools({
    name: 'crio',
    packages: { crio: 'github.com/cri-o/cri-o/cmd/crio' },
    env: { CGO_ENABLED: '1' },
    flags: ['-tags', tags.join(' ')],
    sources: { pinns: 'pinns/src' },
  });
}

/** A kernel of its own for each pod, and what containerd starts it with: for guests that are asked for it. */
export function gvisor(): ProgramSet {
  return tools({
    name: 'gvisor',
    packages: { runsc: 'gvisor.dev/gvisor/runsc', 'containerd-shim-runsc-v1': 'gvisor.dev/gvisor/shim' },
  });
}

export function isBuilt({ place }: ProgramSet): boolean {
  return existsSync(place);
}

/** What a folder of ready programs lacks. */
export function missingPrograms(folder: string): string[] {
  const programs = programSets(defaultKubernetes).flatMap((set) => set.programs);
  return programs.filter((program) => !existsSync(join(folder, program)));
}

interface Tools {
  readonly name: string;
  /** By the program's name. */
  readonly packages: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: readonly string[];
  /** Told to the linker, beside what all are linked with. */
  readonly linking?: string;
  /** Folders of the programs' module that are wanted beside them, by the name they are given. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Folders of the same module that hold the C of a program, by its name. */
  readonly sources?: Readonly<Record<string, string>>;
}

/** Programs that a go.mod of ours names as tools. */
function tools({ name, packages, env = {}, flags = [], linking, folders, sources }: Tools): ProgramSet {
  const cwd = join(modules, name);
  const goMod = readFileSync(join(cwd, 'go.mod'));
  const version = versionIn(goMod.toString(), Object.values(packages)[0] ?? '');
  const inputs = [
    goMod,
    readFileSync(join(cwd, 'go.sum')),
    JSON.stringify({ packages, flags, env, folders, sources, linking }),
  ];
  const place = placeFor('programs', `${name}-${version}`, inputs);
  const linked = ['-ldflags', ['-s -w', ...(linking === undefined ? [] : [linking])].join(' ')];
  const buildAll = (progress: Progress) =>
    fill(place, async (folder) => {
      for (const [program, path] of Object.entries(packages)) {
        const output = join(folder, program);
        await build({ cwd, env, flags: [...flags, ...linked], packages: [path], output, progress });
      }
      for (const [to, from] of Object.entries(folders ?? {}))
        cpSync(join(await moduleOf(cwd, packages), from), join(folder, to), { recursive: true });
      for (const [program, from] of Object.entries(sources ?? {}))
        await compile(join(await moduleOf(cwd, packages), from), join(folder, program));
    });
  const programs = [...Object.keys(packages), ...Object.keys(sources ?? {})];
  return { name, version, programs, place, build: buildAll };
}

async function compile(folder: string, program: string): Promise<void> {
  const sources = globSync(join(folder, '*.c'));
  await runOrThrow(['gcc', '-std=c99', '-Os', '-static', '-s', '-o', program, ...sources]);
}

/** Where Go has unpacked the module that the first of the packages is part of. */
async function moduleOf(cwd: string, packages: Tools['packages']): Promise<string> {
  const [path = ''] = Object.values(packages);
  return (
    await runOrThrow(['go', 'list', '-f', '{{.Module.Dir}}', path], { cwd, env: goEnvironment() })
  ).trim();
}

/** A program of Kubernetes that plays several parts. */
interface Kube {
  /** Of our module. */
  readonly source: 'main.go' | 'node/main.go';
  readonly program: string;
  /** What it is called as. */
  readonly programs: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

const whole: Kube = { source: 'main.go', program: 'kube', programs: parts };
const ofNode: Kube = { source: 'node/main.go', program: 'kubelet', programs: ['kubelet', 'kube-proxy'] };

function kubernetesSet(version: string, { source, program, programs, env }: Kube): ProgramSet {
  const own = join(modules, 'kubernetes');
  const inputs = ['go.mod', 'go.sum', source].map((file) => readFileSync(join(own, file)));
  const place = placeFor('programs', `kubernetes-${version}`, [
    ...inputs,
    ...(env === undefined ? [] : [JSON.stringify(env)]),
  ]);
  const flags = ['-tags', 'providerless,osusergo,netgo', '-ldflags', linkerFlags(version)];
  const buildAll = (progress: Progress) =>
    fill(place, async (folder) => {
      const cwd = version === defaultKubernetes ? own : await deriveModule(version, source, folder, progress);
      const packages = [`./${dirname(source)}`];
      await build({ cwd, env: env ?? {}, flags, packages, output: join(folder, program), progress });
      for (const name of programs.filter((one) => one !== program)) symlinkSync(program, join(folder, name));
    });
  return { name: 'kubernetes', version, programs, place, build: buildAll };
}

/** What the programs say their version is: as a plain `go build` of a module they would say v0.0.0. */
function linkerFlags(version: string): string {
  const [major, minor] = version.split('.');
  const facts = {
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'test',
  };
  const set = (path: string) => Object.entries(facts).map(([name, value]) => `-X ${path}.${name}=${value}`);
  return ['-s', '-w', ...set('k8s.io/component-base/version'), ...set('k8s.io/client-go/pkg/version')].join(
    ' ',
  );
}

/** The command of the kubelet takes a context since 1.34. */
function asOf(version: string, source: string): string {
  if (!isOlder(version, '1.34.0')) return source;
  return source.replace('\t"context"\n', '').replace('(context.Background())', '()');
}

/** The same source with a go.mod for another version; it stays beside the programs, to say what they are made of. */
async function deriveModule(
  version: string,
  source: Kube['source'],
  folder: string,
  { onProgress, signal }: Progress,
): Promise<string> {
  const cwd = join(folder, 'module');
  mkdirSync(dirname(join(cwd, source)), { recursive: true });
  writeFileSync(join(cwd, source), asOf(version, readFileSync(join(modules, 'kubernetes', source), 'utf8')));
  const go = (...args: string[]) => runOrThrow(['go', ...args], { cwd, env: goEnvironment(), signal });
  onProgress('working out its modules');
  await go('mod', 'init', 'keepalive.dev/test/kubernetes');
  const { GoMod } = await fetchModule('k8s.io/kubernetes', version, signal);
  const replaced = replacements(readFileSync(GoMod, 'utf8'), version).map((one) => `-replace=${one}`);
  await go('mod', 'edit', `-require=k8s.io/kubernetes@v${version}`, ...replaced);
  await go('mod', 'tidy');
  return cwd;
}
