/** Everything a cluster needs before it can start: found where it was made before, made where it is missing. */
import type { ListrTask, ListrTaskWrapper } from 'listr2';
import { DefaultRenderer, Listr, ListrLogger, PRESET_TIMER, ProcessOutput, SimpleRenderer } from 'listr2';

import { runOrThrow } from './command.ts';
import { requireGo } from './go.ts';
import type { GuestSpec } from './guest-node/guest-spec.ts';
import { guestNeeds } from './guest-node/needs.ts';
import type { Image } from './image.ts';
import { nodeImages, toolsFolder } from './image.ts';
import { installPackages, missingPackages, requireApt } from './package.ts';
import type { ProgramSet } from './program.ts';
import { isBuilt, missingPrograms, programSets } from './program.ts';
import type { Unpacked } from './unpacked.ts';
import { wantedVersion } from './version.ts';

export interface Prepared {
  readonly kubernetes: string;
  /** Folders for PATH. */
  readonly programs: readonly string[];
  /** Archives that every node has from the start. */
  readonly images: readonly string[];
}

export interface Wanted {
  readonly kubernetes: string | undefined;
  readonly guests?: readonly GuestSpec[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function prepare({ kubernetes, guests = [], signal }: Wanted): Promise<Prepared> {
  requireRoot();
  const ready = process.env.KEEPALIVE_PROGRAMS;
  const sets = ready === undefined ? programSets(await wantedVersion(kubernetes)) : [];
  const unbuilt = sets.filter((set) => !isBuilt(set));
  const packages = await missingPackages();
  // All that could stop us is asked first, so that nothing is left half done.
  if (ready !== undefined) requirePrograms(ready);
  if (packages.length > 0) await requireApt(packages);
  if (unbuilt.length > 0)
    await requireGo(unbuilt.map(({ name }) => name)).catch((error: unknown) => {
      throw new Error(
        `${(error as Error).message}, or name a folder of ready programs in KEEPALIVE_PROGRAMS`,
        { cause: error },
      );
    });
  await show([...packageTask(packages, signal), ...unbuilt.map((set) => programTask(set, signal))]);
  // busybox, which one of them is made of, may have come with the packages just now.
  const images = nodeImages();
  await show(images.filter((image) => !image.isBuilt()).map((image) => imageTask(image)));
  const programs = ready === undefined ? sets.map(({ place }) => place) : [ready];
  const version = ready === undefined ? await wantedVersion(kubernetes) : await versionOf(ready);
  for (const needs of guestNeeds(guests, { programs, kubernetes: version })) await provide(needs(), signal);
  return {
    kubernetes: version,
    programs: [...programs, toolsFolder()],
    images: images.map(({ archive }) => archive),
  };
}

/** Makes what is missing of things that only some need: their programs, images and unpacked packages. */
export async function provide(
  { programs = [], images = [], unpacked = [], parts = [] }: Provisions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const unbuilt = programs.filter((set) => !isBuilt(set));
  const absent = unpacked.filter((one) => !one.isBuilt());
  if (unbuilt.length > 0) await requireGo(unbuilt.map(({ name }) => name));
  if (absent.length > 0) await requireApt(absent.flatMap(({ packages }) => packages));
  await show([
    ...unbuilt.map((set) => programTask(set, signal)),
    ...images.filter((image) => !image.isBuilt()).map((image) => imageTask(image)),
    ...absent.map((one) => unpackTask(one, signal)),
    ...parts.filter((one) => !one.isBuilt()).map((one) => partTask(one, signal)),
  ]);
}

export interface Provisions {
  readonly programs?: readonly ProgramSet[];
  readonly images?: readonly Image[];
  readonly unpacked?: readonly Unpacked[];
  readonly parts?: readonly Part[];
}

/** Anything else that is made once. */
export interface Part {
  readonly title: string;
  readonly isBuilt: () => boolean;
  readonly build: (signal?: AbortSignal) => Promise<void>;
}

function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new Error('a cluster needs root, for network namespaces and mounts of its own: run it with sudo');
}

function requirePrograms(folder: string): void {
  const missing = missingPrograms(folder);
  if (missing.length > 0)
    throw new Error(
      `the folder that KEEPALIVE_PROGRAMS names, ${folder}, lacks ${missing.join(', ')}: put them there or unset it`,
    );
}

async function versionOf(folder: string): Promise<string> {
  const said = await runOrThrow([`${folder}/kube-apiserver`, '--version']);
  return said.trim().replace('Kubernetes v', '');
}

type Task = ListrTask<object, typeof DefaultRenderer, typeof SimpleRenderer>;
type Running = ListrTaskWrapper<object, typeof DefaultRenderer, typeof SimpleRenderer>;

/** Says on standard error what is being made and what is left, so that standard output stays the command's own. */
async function show(tasks: readonly Task[]): Promise<void> {
  if (tasks.length === 0) return;
  const processOutput = new ProcessOutput(process.stderr, process.stderr);
  const timer = PRESET_TIMER;
  await new Listr<object, typeof DefaultRenderer, typeof SimpleRenderer>([...tasks], {
    renderer: process.stderr.isTTY ? DefaultRenderer : SimpleRenderer,
    rendererOptions: { timer, logger: new ListrLogger({ processOutput }), collapseErrors: false },
    fallbackRendererOptions: { timer, logger: new ListrLogger({ processOutput }) },
    registerSignalListeners: false,
  } as never).run();
}

function packageTask(names: readonly string[], signal: AbortSignal | undefined): Task[] {
  if (names.length === 0) return [];
  return [{ title: `Debian packages: ${names.join(', ')}`, task: () => installPackages(names, signal) }];
}

function programTask(set: ProgramSet, signal: AbortSignal | undefined): Task {
  const { name, version, architecture } = set;
  const called = architecture === undefined ? `${name} ${version}` : `${name} ${version} for ${architecture}`;
  const title = `${called}${name === 'kubernetes' ? ' (about 5 minutes on 2 cores, once)' : ''}`;
  return { title, task: (_, task) => set.build({ onProgress: saying(task), signal }) };
}

function imageTask(image: Image): Task {
  return { title: `image ${image.name}`, task: () => image.build() };
}

function unpackTask(one: Unpacked, signal: AbortSignal | undefined): Task {
  return {
    title: `Debian packages, unpacked only: ${one.packages.join(', ')}`,
    task: () => one.build(signal),
  };
}

function partTask({ title, build }: Part, signal: AbortSignal | undefined): Task {
  return { title, task: () => build(signal) };
}

/** A line now and then: each second for a terminal, each half minute for a log. */
function saying(task: Running): (text: string) => void {
  const everyMs = process.stderr.isTTY ? 1000 : 30_000;
  const begun = performance.now();
  let next = begun;
  return (text) => {
    const now = performance.now();
    if (now < next) return;
    next = now + everyMs;
    task.output = `${text}, ${Math.round((now - begun) / 1000)} s so far`;
  };
}
