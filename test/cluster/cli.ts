import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { Command, InvalidArgumentError, Option } from 'commander';

import type { Family } from './addresses.ts';
import { families } from './addresses.ts';
import { Cluster, DEFAULT_NAME } from './cluster.ts';
import type { GuestSpec } from './guest-node/guest-spec.ts';
import { parseGuest } from './guest-node/guest-spec.ts';
import { clearAbandoned, describeLabs, Lab, removeLab } from './lab.ts';
import { defaultKubernetes } from './version.ts';

/** Where the caller stands: npm starts scripts in the repository's root. */
const here = process.env.INIT_CWD ?? process.cwd();
const begun = performance.now();
/** Standard output is for what was asked; the rest is told beside it. */
const say = (text: string) => process.stderr.write(`${text}\n`);
const tell = (step: string) =>
  say(`${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${step}`);

interface Named {
  readonly name: string;
}

interface UpWords extends Named {
  readonly nodes: number;
  readonly kubernetes: string;
  readonly family: Family;
  readonly guest: readonly GuestSpec[];
}

const program = new Command('npm run -s cluster --')
  .description('A real Kubernetes in namespaces of this machine.')
  .enablePositionalOptions()
  .showHelpAfterError();

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--name <name>', 'which cluster', DEFAULT_NAME);
}

command('up', 'set up what is missing and start a cluster')
  .option('--nodes <count>', 'how many nodes', nodeCount, 1)
  .option('--kubernetes <version>', 'such as 1.36.2, or 1.36 for the latest of that line', defaultKubernetes)
  .addOption(
    new Option('--family <family>', 'the addresses of nodes and services').choices(families).default('ipv4'),
  )
  .option(
    '--guest <guest>',
    'one more node, a Debian of its own under emulation: bookworm,containerd, trixie,crio,crun,conmon=pod or trixie,containerd,arm64; may be repeated',
    guestSpec,
    [] as GuestSpec[],
  )
  .action(async ({ guest: guests, ...options }: UpWords) => {
    const cluster = await Cluster.up({ ...options, guests, onProgress: tell, signal: interruption() });
    const option = optionFor(cluster);
    tell(`cluster ${cluster.name} is ready: npm run -s cluster -- exec${option} -- kubectl get nodes`);
  });

command('down', 'end a cluster and leave nothing behind').action(async ({ name }: Named) => {
  const existed = Lab.find(name) !== undefined;
  await removeLab(name);
  const others = await clearAbandoned();
  for (const other of others) say(`cleared away cluster ${other}, which was nobody's any more`);
  say(existed ? `cluster ${name} is gone` : `there is no cluster ${name}`);
});

program
  .command('status')
  .description('say which clusters there are')
  .option('--name <name>', 'only this one; status 1 if it does not run')
  .action(({ name }: Partial<Named>) => {
    const labs = describeLabs().filter((lab) => name === undefined || lab.name === name);
    for (const lab of labs) process.stdout.write(`${lab.name}: ${lab.standing}${lab.detail}\n`);
    if (labs.length === 0) say(name === undefined ? 'there is no cluster' : `there is no cluster ${name}`);
    if (name !== undefined && labs[0]?.standing !== 'running') process.exitCode = 1;
  });

command('exec', "run a command in the cluster's network, with KUBECONFIG set")
  .argument('<command...>')
  .passThroughOptions()
  .action(async (argv: string[], options: Named) => {
    const child = running(options).spawn(argv, { stdio: 'inherit', cwd: here });
    passSignalsTo(child);
    const [code] = (await once(child, 'exit')) as [number | null];
    process.exitCode = code ?? 143;
  });

command('load', 'put an image archive (OCI or docker) onto every node that it is for')
  .argument('<image.tar>')
  .action(async (archive: string, options: Named) => {
    await running(options).load(resolve(here, archive));
  });

command('install', "build the product's image, load it, apply deploy/ and wait until it serves").action(
  async (options: Named) => {
    await running(options).install({ onProgress: tell });
    tell('it serves');
  },
);

command('logs', 'print the log of a component; without one, name them')
  .argument('[component]')
  .action(async (name: string | undefined, options: Named) => {
    const cluster = running(options);
    if (name === undefined) {
      process.stdout.write(`${cluster.componentNames.join('\n')}\n`);
      return;
    }
    const logPath = cluster.logPath(name);
    if (existsSync(logPath)) await pipeline(createReadStream(logPath), process.stdout, { end: false });
  });

function nodeCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 20)
    throw new InvalidArgumentError('Choose from 1 to 20.');
  return count;
}

function guestSpec(text: string, before: readonly GuestSpec[]): GuestSpec[] {
  try {
    return [...before, parseGuest(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function running(named: Named): Cluster {
  const cluster = Cluster.find(named.name);
  if (cluster !== undefined) return cluster;
  const command = `npm run -s cluster -- up${optionFor(named)}`;
  throw new Error(`there is no cluster ${named.name}: start it with  ${command}`);
}

function optionFor({ name }: Named): string {
  return name === DEFAULT_NAME ? '' : ` --name ${name}`;
}

/** Ctrl-C may come twice, from the terminal and passed on: the first one counts, and clearing up is not cut short. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      controller.abort(new Error(`interrupted by ${name}: what had been started is taken down`));
    });
  return controller.signal;
}

/** The terminal sends Ctrl-C to the command itself; the others come to us alone. */
function passSignalsTo(child: ReturnType<Cluster['spawn']>): void {
  process.on('SIGINT', () => undefined);
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, () => child.kill());
}

try {
  await program.parseAsync();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
