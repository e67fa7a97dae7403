import { runController } from './controller/controller.ts';
import { RequirementError } from './controller/requirement.ts';
import { ConfigError, controllerConfig, readConfig } from './ops/config.ts';
import { createLog } from './ops/log.ts';

const version = process.env.KEEPALIVE_VERSION ?? 'development';

const usage = `keepalive-operator ${version}

usage: keepalive-operator COMMAND

  controller   watch policies and pods, keep bindings and status (runs inside the cluster)
  version      print the version
`;

/** Exit status 2: called wrongly; 1: cannot go on, and the last line says why. */
async function main([command, ...args]: string[]): Promise<number> {
  switch (command) {
    case 'controller':
      await controller(args);
      return 0;
    case 'version':
      process.stdout.write(`${version}\n`);
      return 0;
    default:
      process.stderr.write(command === undefined ? usage : `unknown command ${command}\n\n${usage}`);
      return 2;
  }
}

async function controller(args: string[]): Promise<void> {
  const config = readConfig(controllerConfig, process.env, args);
  const log = createLog({ level: config.logLevel, base: { component: 'controller', pod: config.podName } });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info({ signal: name }, 'stopping');
      stop.abort();
    });
  }
  log.info({ version, node: process.version }, 'starting');
  try {
    await runController({ config, log, environment: process.env, version, signal: stop.signal });
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
