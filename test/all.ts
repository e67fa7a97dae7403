/** Every test: unit first, then what meets the kernel, then end to end, then on other kinds of nodes, and with --long clusters unlike the usual one. Ends with one line, counted from what the runner reports. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { prepare } from './cluster/prepare.ts';
import { usual } from './platforms/kinds.ts';

interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numTotalTests: number;
  /** Left out by a word in their file, as those beside a `test.only`. */
  readonly numPendingTests: number;
  /** A suite that cannot even be loaded has no tests that could fail. */
  readonly numRuntimeErrorTestSuites: number;
}

/** What a test left running keeps jest from ending, and whoever waits for the last line with it. */
const lingersSeconds = 60;

/** Runs one project of jest; null where it died before it could report. */
async function runProject(
  script: string,
  folder: string,
): Promise<{ status: number; counts: Counts | null }> {
  const outputFile = join(folder, `${script.replace(':', '-')}.json`);
  const child = spawn('npm', ['run', '-s', script, '--', '--json', `--outputFile=${outputFile}`], {
    // What --json prints is what --outputFile holds; the report for people goes to standard error.
    stdio: ['ignore', 'ignore', 'inherit'],
    // A process group of its own, which can be ended whole.
    detached: true,
  });
  running = child;
  const ending = endIfItLingers(child, outputFile);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('exit', (code) => resolve(code ?? 1)).on('error', reject);
  }).finally(() => clearInterval(ending));
  try {
    return { status, counts: JSON.parse(readFileSync(outputFile, 'utf8')) as Counts };
  } catch {
    return { status, counts: null };
  }
}

function endIfItLingers(child: ChildProcess, outputFile: string): NodeJS.Timeout {
  let seconds = 0;
  return setInterval(() => {
    if (existsSync(outputFile)) seconds += 1;
    if (seconds < lingersSeconds) return;
    process.stderr.write(
      `The tests have reported, and something that one of them started still runs after ${lingersSeconds} s: ended, and counted as a failure\n`,
    );
    signalGroup(child, 'SIGKILL');
  }, 1000);
}

/** npm alone would die of it, and what it started run on. */
function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

// The runner ends its cluster by itself; this process passes on what it is told and waits.
const interrupted = new AbortController();
let running: ChildProcess | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    interrupted.abort(new Error(name));
    if (running !== undefined) signalGroup(running, name);
  });
}

const scripts = [
  'test:unit',
  'test:kernel',
  'test:e2e',
  'test:platforms',
  ...(process.argv.includes('--long') ? ['test:long'] : []),
];

const folder = mkdtempSync(join(tmpdir(), 'keepalive-test-'));
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const guests = usual.map(({ spec }) => spec);
  await prepare({ kubernetes: undefined, guests, signal: interrupted.signal });
  for (const script of scripts) {
    const { status, counts } = await runProject(script, folder);
    passed += counts?.numPassedTests ?? 0;
    skipped += counts?.numPendingTests ?? 0;
    failed += Math.max(
      (counts?.numFailedTests ?? 0) + (counts?.numRuntimeErrorTestSuites ?? 0),
      status === 0 && (counts?.numTotalTests ?? 0) > 0 ? 0 : 1,
    );
    // What fails makes the slower suites after it not worth waiting for.
    if (failed > 0 || interrupted.signal.aborted) break;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  failed += 1;
} finally {
  if (skipped > 0) process.stdout.write(`${skipped} skipped\n`);
  // Whatever has ended it: the last line is what is read of it.
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 && !interrupted.signal.aborted ? 0 : 1;
  rmSync(folder, { recursive: true, force: true });
}
