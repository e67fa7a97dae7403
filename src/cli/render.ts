import { resolve } from 'node:path';

import { Command } from 'commander';

import type { Source } from './input.ts';
import { printable } from './printable.ts';
import type { RemarkKind } from './remark.ts';
import type { RenderedSource } from './rendering.ts';
import { addReadingOptions, collect } from './input-option.ts';
import type { Review } from './review.ts';
import { rewrite } from './rewrite.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, exitCodes } from './terminal.ts';

interface Options {
  readonly filename?: readonly string[];
  readonly policies?: readonly string[];
  readonly namespace: string;
  readonly template?: readonly string[];
  readonly diff?: true;
  readonly write?: true;
}

const examples = `
Examples:
  keepalive render -f app.yaml -f policies.yaml --diff     what would change; exit code 1 where something does
  keepalive render -f apps/ --policies platform/ --write   into the files, only the bytes that must change
  kubectl kustomize . | keepalive render | kubectl apply -f -
  keepalive render --template Rollout.argoproj.io=spec.template

As a KRM function (a ResourceList on standard input), for kustomize and others:
  metadata:
    annotations:
      config.kubernetes.io/function: |
        exec: {path: keepalive, args: [render]}
`;

export function renderCommand(terminal: Terminal): Command {
  const command = new Command('render')
    .summary('puts what policies mean into the workloads beside them')
    .description(
      'Puts what the policies of the input mean into the pod templates of the input: the sysctls that admission would give ' +
        'their pods, and nothing else. Comments, order, quotes and spaces stay as they are; what is enough stays too, and a ' +
        'second time changes nothing. Policies in Audit change nothing. Exit codes: 0 done, 1 a difference (--diff), or a policy ' +
        'that the API server would refuse, 2 called wrongly or a file cannot be read or written.',
    )
    .option(
      '-f, --filename <path>',
      'a file, a folder with all below it, or - for standard input; again for more (default: what is piped in, else this folder; with --diff or --write this folder)',
      collect,
    )
    .option(
      '-p, --policies <path>',
      'policies and namespaces that are kept elsewhere; again for more',
      collect,
    );
  return addReadingOptions(command)
    .option('--diff', 'print what would change as a diff')
    .option('--write', 'change the files')
    .addHelpText('after', examples)
    .action((options: Options) => render(options, terminal));
}

async function render(options: Options, terminal: Terminal): Promise<void> {
  const paths = pathsOf(options, terminal);
  const [{ readSources, sayUnread }, krm] = await Promise.all([import('./input.ts'), import('./krm.ts')]);
  const [sources = [], others = []] = await readSources(paths, terminal);
  const [only] = sources;
  const list = sources.length === 1 && only !== undefined ? krm.resourceListIn(only) : undefined;
  if (only !== undefined && list !== undefined) {
    refuseAsFunction(only, options);
    const settings = { namespace: options.namespace, templates: options.template };
    const { text, failed, exitCode } = krm.renderResourceList(list, others, settings);
    terminal.out(text);
    if (failed !== '') throw new CommandError(failed, exitCode);
    return;
  }
  const { rendered, review } = await renderAll(sources, others, options);
  tell(rendered, review, terminal);
  if (hasNoDifference(sources, review, options))
    sayUnread('nothing to render', { filename: options.filename, terminal });
  await deliver(rendered, options, terminal);
}

function refuseAsFunction({ name }: Source, { diff, write }: Options): void {
  if (diff || write)
    throw new CommandError(
      `${printable(name)}: a ResourceList is what a KRM function is handed, and comes back rendered: leave out --diff and --write`,
    );
}

/** Of what is rendered, and of what only counts. */
function pathsOf(options: Options, terminal: Terminal): (readonly string[])[] {
  if (options.diff && options.write)
    throw new CommandError('--diff shows and --write changes: take one of them');
  return [filenamesOf(options, terminal), options.policies ?? []];
}

function filenamesOf({ filename, diff, write }: Options, { stdinIsTerminal }: Terminal): readonly string[] {
  if (filename !== undefined) {
    if (write && filename.includes('-'))
      throw new CommandError('--write changes files: standard input is none');
    return filename;
  }
  return stdinIsTerminal || diff || write ? ['.'] : ['-'];
}

async function renderAll(
  sources: readonly Source[],
  others: readonly Source[],
  { namespace, template, diff, write }: Options,
): Promise<{ rendered: RenderedSource[]; review: Review }> {
  const [
    { review: judge },
    { templatesOf },
    { blockedExitCode, blockingRemarks, renderSources },
    { remarkLine },
  ] = await Promise.all([
    import('./review.ts'),
    import('./workload.ts'),
    import('./rendering.ts'),
    import('./remark-output.ts'),
  ]);
  const whole = diff || write ? [] : sources;
  const review = judge([...sources, ...others], { namespace, templates: templatesOf(template), whole });
  const refused = blockingRemarks(review);
  if (refused.length > 0) {
    const lines = refused.map((one) => `\n  ${remarkLine(one)}`).join('');
    throw new CommandError(
      `nothing is rendered before this is mended (\`keepalive check\` tells more):${lines}`,
      blockedExitCode(refused),
    );
  }
  return { rendered: renderSources(sources, review), review };
}

/** Asked for one where it cannot have any: there is no policy, or no template beside it. */
function hasNoDifference(
  sources: readonly Source[],
  { policies, workloads }: Review,
  { diff }: Options,
): boolean {
  const meets = policies.length > 0 && workloads.some(({ manifest }) => sources.includes(manifest.source));
  return diff === true && !meets;
}

/** What is not rendered, and why; and which pods never start, whatever is put into them. */
const told: readonly RemarkKind[] = [
  'no-template',
  'left-alone',
  'unknown-namespace',
  'unknown-label',
  'unknown-runtime-class',
  'switched-off',
  'template-text',
  'malformed-pod',
  'pod-refused',
];

/** On standard error, so that standard output stays manifests. */
function tell(rendered: readonly RenderedSource[], { remarks }: Review, terminal: Terminal): void {
  const problems = rendered.flatMap((one) => one.rendered.filter(({ problem }) => problem !== undefined));
  for (const { kind, manifest, file, place, object, message } of remarks) {
    const isProblem =
      kind === 'malformed-pod' && problems.some(({ workload }) => workload.manifest === manifest);
    if (told.includes(kind) && !isProblem)
      terminal.say(
        `${printable(`${file}:${place.line}: ${object === '' ? '' : `${object}: `}${message}`)}\n`,
      );
  }
  if (problems.length === 0) return;
  const lines = problems.map(
    ({ workload: { manifest }, problem }) =>
      `\n  ${printable(`${manifest.source.name}: ${manifest.kind} ${manifest.name}: ${problem}`)}`,
  );
  throw new CommandError(`not everything can be rendered:${lines.join('')}`, exitCodes.found);
}

async function deliver(
  rendered: readonly RenderedSource[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const changed = rendered.filter(({ source, text }) => source.text !== text);
  if (options.write) {
    if (changed.length === 0) terminal.say('nothing to change\n');
    refuseUtf16(changed);
    for (const { source, text } of changed) {
      write(resolve(terminal.cwd, source.name), { name: source.name, text });
      // One by one: should a later one fail, these are changed.
      terminal.say(`changed ${printable(source.name)}\n`);
    }
  } else if (options.diff) {
    const { createTwoFilesPatch } = await import('./text-diff.ts');
    for (const { source, text } of changed) {
      // As `git diff` writes a path from the root: two slashes `git apply` would not take.
      const name = source.name.replace(/^\/+/, '');
      // Behind a name with spaces `patch` looks for a tab, which is written before what is not empty.
      const header = name.includes(' ') ? ' ' : undefined;
      terminal.out(
        createTwoFilesPatch(`a/${name}`, `b/${name}`, source.text, text, header, header, {
          headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
        }),
      );
    }
    if (changed.length > 0) throw new CommandError('', exitCodes.found);
  } else {
    const [{ isPassedOver, manifestsOf, mayHoldManifests }, { streamOf }] = await Promise.all([
      import('./manifest.ts'),
      import('./manifest-stream.ts'),
    ]);
    // In a folder there may be YAML and JSON of other kinds.
    const taken = rendered.filter(
      ({ source }) =>
        !source.found ||
        (mayHoldManifests(source) && manifestsOf(source).manifests.length > 0 && !isPassedOver(source)),
    );
    terminal.out(streamOf(taken.map(({ text }) => text)));
  }
}

/** Before any is written: all its bytes would be others, and not only those that must change. */
function refuseUtf16(changed: readonly RenderedSource[]): void {
  const [name] = changed.flatMap(({ source }) => (source.isUtf16 ? [source.name] : []));
  if (name !== undefined)
    throw new CommandError(`${printable(name)}: it is UTF-16: save it as UTF-8, and run this again`);
}

function write(path: string, { name, text }: Pick<Source, 'name' | 'text'>): void {
  try {
    rewrite(path, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(
      `${printable(name)}: it cannot be written (${code}): mend that, and run this again`,
    );
  }
}
