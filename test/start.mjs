// node test/start.mjs [TARGET.ts [ARGS…]]: from a bare clone to a running TARGET; without one, to where every npm
// script runs. Plain JavaScript with nothing but Node's own modules, for any Node from 20 on: TARGET itself runs
// on the Node that npm brings.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [target, ...args] = process.argv.slice(2);

const [major] = process.versions.node.split('.').map(Number);
const needs = [
  [
    process.platform === 'linux' && process.arch === 'x64',
    `this needs Linux on x86-64, for network namespaces and the programs npm brings; this is ${process.platform} on ${process.arch}`,
  ],
  [
    major >= 20,
    `this needs Node 20 or later to start, and this is ${process.version}: see https://nodejs.org/en/download`,
  ],
  [
    process.getuid?.() === 0,
    'this needs root, for network namespaces and mounts of its own: run it with sudo',
  ],
  [
    packagesAreInstalled() || spawnSync('npm', ['--version']).status === 0,
    'npm is missing, and it brings the packages this needs: apt-get install npm',
  ],
];
const unmet = needs.find(([met]) => !met);
if (unmet) end(unmet[1]);
if (!packagesAreInstalled()) await installPackages();
installLibraries();
if (target !== undefined) run();

/** npm writes down what it installed; where a lock file is newer, what matters is whether it says the same. */
function packagesAreInstalled() {
  const installed = join(root, 'node_modules/.package-lock.json');
  const wanted = join(root, 'package-lock.json');
  if (!existsSync(installed) || !existsSync(join(root, 'node_modules/.bin/node'))) return false;
  return statSync(installed).mtimeMs >= statSync(wanted).mtimeMs || isSame(installed, wanted);
}

function isSame(installed, wanted) {
  const [have, want] = [installed, wanted].map((file) => JSON.parse(readFileSync(file, 'utf8')).packages);
  const isThere = ([path, { version, optional }]) =>
    have[path]?.version === version || (optional && !have[path]);
  return Object.entries(want).every(([path, entry]) => path === '' || isThere([path, entry]));
}

async function installPackages() {
  const begun = Date.now();
  const seconds = () => Math.round((Date.now() - begun) / 1000);
  console.error('npm packages: npm ci');
  const ticking = setInterval(() => console.error(`npm packages: ${seconds()} s so far`), 15_000);
  const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  const code = await new Promise((resolve) => child.once('error', resolve).once('exit', resolve));
  clearInterval(ticking);
  if (code !== 0) end('npm ci failed: what it says above is what is missing');
  console.error(`npm packages: done in ${seconds()} s`);
}

/** The Node that npm brings is linked against a library that a small Debian may lack. */
function installLibraries() {
  const { status, stderr } = spawnSync(join(root, 'node_modules/.bin/node'), ['--version'], {
    encoding: 'utf8',
  });
  if (status === 0 || !stderr?.includes('libatomic')) return;
  console.error('Debian package libatomic1: installing');
  const apt = (...words) => spawnSync('apt-get', ['-qq', '-y', ...words], { stdio: ['ignore', 2, 2] }).status;
  if (apt('update') !== 0 || apt('install', 'libatomic1') !== 0)
    end('libatomic1 is missing, which Node 26 needs: apt-get install libatomic1');
}

function run() {
  const bin = join(root, 'node_modules/.bin');
  const child = spawn(join(bin, 'node'), [join(root, target), ...args], {
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    stdio: 'inherit',
  });
  // Ctrl-C reaches the child twice, from the terminal and from here: it counts once. It clears up; we wait for it.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.once('error', (error) =>
    end(`${join(bin, 'node')} cannot be started (${error.message}): remove node_modules and try again`),
  );
  child.once('exit', (code, name) => {
    process.exitCode = code ?? 128 + constants.signals[name];
  });
}

function end(line) {
  console.error(line);
  process.exit(1);
}
