import { RequirementError } from './kube/requirement.ts';
import { agentConfig, ConfigError, controllerConfig, readConfig } from './ops/config.ts';
import type { Log, LogOptions } from './ops/log.ts';
import { createLog } from './ops/log.ts';

const version = process.env.KEEPALIVE_VERSION ?? 'development';

const usage = `keepalive-operator ${version}

usage: keepalive-operator COMMAND

  controller   watch policies and pods, keep bindings and status (runs inside the cluster)
  agent        hold the values of one node and its pods in the kernel (runs on every node)
  version      print the version
`;

/** Exit status 2: called wrongly; 1: cannot go on, and the last line says why. */
async function main([command, ...args]: string[]): Promise<number> {
  switch (command) {
    case 'controller': {
      const { runController } = await import('./controller/run.ts');
      await run(readConfig(controllerConfig, process.env, args), { component: 'controller' }, runController);
      return 0;
    }
    case 'agent': {
      const { runAgent } = await import('./agent/agent.ts');
      const config = readConfig(agentConfig, process.env, args);
      await run(config, { component: 'agent', node: config.nodeName }, runAgent);
      return 0;
    }
    case 'version':
      process.stdout.write(`${version}\n`);
      return 0;
    default:
      process.stderr.write(command === undefined ? usage : `unknown command ${command}\n\n${usage}`);
      return 2;
  }
}

interface Run<C> {
  readonly config: C;
  readonly log: Log;
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  readonly signal: AbortSignal;
}

/** Until it ends by itself, or by a signal. */
async function run<C extends { readonly logLevel: LogOptions['level']; readonly podName: string }>(
  config: C,
  base: Readonly<Record<string, string>>,
  part: (options: Run<C>) => Promise<void>,
): Promise<void> {
  const log = createLog({ level: config.logLevel, base: { ...base, pod: config.podName } });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info({ signal: name }, 'stopping');
      stop.abort();
    });
  }
  log.info({ version, nodeVersion: process.version }, 'starting');
  try {
    await part({ config, log, environment: process.env, version, signal: stop.signal });
    log.info('stopped');
  } catch (error) {
    if (!(error instanceof RequirementError)) log.fatal({ reason: (error as Error).message }, 'cannot go on');
    throw error;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const told = error instanceof RequirementError || error instanceof ConfigError;
  process.stderr.write(`${told ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
