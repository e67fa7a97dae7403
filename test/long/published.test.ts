import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import type { Architecture } from '../../scripts/release/architecture.ts';
import { craneProgram } from '../../scripts/release/push.ts';
import { registry } from '../cluster/addresses.ts';
import { Cluster } from '../cluster/cluster.ts';
import { run, runOrThrow } from '../cluster/command.ts';
import { unpacked } from '../cluster/unpacked.ts';
import { until } from '../cluster/wait.ts';
import { Bench, isReady, kap, sleeper } from '../e2e/shared.ts';
import { goTool } from '../support/go-tool.ts';
import { buildHelms, buildMs, helmProgram } from '../support/helm.ts';
import { ImageOnDisk } from '../support/image-root.ts';
import { kustomizeProgram } from '../support/kustomize.ts';
import { startRegistry } from '../support/lab-registry.ts';
import { releaseCopy } from '../support/release-copy.ts';
import { componentsIn } from '../support/spdx.ts';

const work = mkdtempSync(join(tmpdir(), 'keepalive-release-'));
const [here, there] = [join(work, 'here'), join(work, 'far/away')];
const made = join(here, 'dist/release');
const archiveUrl = 'https://example.com/kubectl-keepalive-0.1.0.tar.gz';
const options = ['--registry', registry, '--krew-url', archiveUrl];
const emulator = unpacked('qemu-user', ['qemu-user-static']);
const krewValidator = () => goTool('krew', 'sigs.k8s.io/krew/cmd/validate-krew-manifest');
const image = new ImageOnDisk(join(made, 'image'));

const listed = (architecture: Architecture, type: string) =>
  componentsIn(join(made, `keepalive-operator-0.1.0-${architecture}.spdx.json`), type);

const release = (...args: readonly string[]) => ['npm', 'run', '-s', 'release', '--', ...args];

beforeAll(async () => {
  await buildHelms();
  for (const program of [craneProgram, kustomizeProgram, krewValidator]) await program();
  if (!emulator.isBuilt()) await emulator.build();
  await releaseCopy(here);
  await releaseCopy(there);
  await runOrThrow(release('--dry-run', ...options), { cwd: here, env: process.env });
}, 3_600_000);
afterAll(() => {
  rmSync(work, { recursive: true });
});

describe('what a release is', () => {
  test('has checksums that sha256sum takes', async () => {
    const said = await runOrThrow(['sha256sum', '--check', '--strict', 'SHA256SUMS'], { cwd: made });
    expect(said.trim().split('\n')).toHaveLength(readdirSync(made).length - 1);
  });

  test('is refused where a change is in no commit, and where the commit is not tagged', async () => {
    const asked = () => run(release(...options), { cwd: here, env: process.env });
    const git = (...args: readonly string[]) => runOrThrow(['git', ...args], { cwd: here, env: process.env });
    await git('tag', '--delete', 'v0.1.0');
    expect((await asked()).stderr).toContain('is not tagged v0.1.0');
    await git('tag', 'v0.1.0');
    await git('mv', 'LICENSE', 'LICENCE');
    expect((await asked()).stderr).toContain('changes that are in no commit');
    await git('mv', 'LICENCE', 'LICENSE');
  });

  test('has a manifest that krew takes', async () => {
    const { code, stderr } = await run([
      await krewValidator(),
      ...['-skip-install', '-manifest', join(made, 'keepalive.yaml')],
    ]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('structural validation OK')]);
  });

  test('has an archive for krew that runs by the link that krew makes, and has its licence', async () => {
    const store = join(work, 'krew/store');
    mkdirSync(store, { recursive: true });
    await runOrThrow(['tar', '-xzf', join(made, 'kubectl-keepalive-0.1.0.tar.gz'), '-C', store]);
    expect(readdirSync(store)).toContain('LICENSE');
    await runOrThrow(['ln', '-s', 'store/keepalive.mjs', join(work, 'krew/kubectl-keepalive')]);
    const said = await runOrThrow([
      join(work, 'krew/kubectl-keepalive'),
      'derive',
      '-t',
      '90',
      '-o',
      'docker',
    ]);
    expect(said).toContain('--sysctl net.ipv4.tcp_keepalive_time=30 ');
  });

  test('has a package that npm installs', async () => {
    const project = join(work, 'project');
    mkdirSync(project);
    const archive = join(made, 'keepalive-operator-npm-0.1.0.tgz');
    await runOrThrow(['npm', 'install', '--offline', archive], { cwd: project, env: process.env });
    const program = join(project, 'node_modules/.bin/keepalive');
    expect(await runOrThrow([program, '--version'])).toBe('0.1.0\n');
  });
});

describe.each(['amd64', 'arm64'] as const)('the image for %s', (architecture) => {
  const root = join(work, architecture);
  beforeAll(async () => {
    await image.unpack(architecture, root);
    copyFileSync(join(emulator.folder, 'usr/bin/qemu-aarch64-static'), join(root, 'emulator'));
  });

  const inside = (...args: readonly string[]) => image.node(architecture, root, args);

  test('has neither a shell nor npm, nor anything else to run but Node', async () => {
    const found = await runOrThrow(['find', root, '-xdev', '-path', '*/bin/*', '-printf', '%P\n']);
    expect(found.trim().split('\n')).toEqual(['usr/bin/node']);
  });

  test('starts the product', async () => {
    expect(await inside('/app/main.mjs', 'version')).toEqual({ stdout: '0.1.0\n', stderr: '', code: 0 });
  }, 120_000);

  test('loads koffi and, by it, libbpf', async () => {
    const script = `import koffi from '/app/node_modules/koffi/index.js';
      const libbpf = koffi.load('libbpf.so.1');
      console.log(process.arch, process.version, libbpf.func('uint32_t libbpf_major_version()')());`;
    const { stdout, stderr } = await inside('--input-type=module', '-e', script);
    const arch = architecture === 'arm64' ? 'arm64' : 'x64';
    expect([stdout, stderr]).toEqual([`${arch} v26.10.0 1\n`, '']);
  }, 120_000);

  test('says to scanners which Debian packages it has, and the list of what is in it says the same', () => {
    const folder = join(root, 'var/lib/dpkg/status.d');
    expect(readdirSync(folder)).toContain('libbpf1');
    expect(readFileSync(join(folder, 'libc6'), 'utf8')).toContain(`Architecture: ${architecture}\n`);
    expect(readFileSync(join(root, 'etc/os-release'), 'utf8')).toContain('VERSION_CODENAME=bookworm');
    const installed = readdirSync(folder).map((name) => {
      const control = readFileSync(join(folder, name), 'utf8');
      return `${name} ${/^Version: (.+)$/m.exec(control)?.[1]}`;
    });
    expect(listed(architecture, 'deb').sort()).toEqual(installed.sort());
  });

  test('has a list of what is in it that names what is in bundles too, and what lies beside them', () => {
    const names = listed(architecture, 'npm').map((one) => one.split(' ')[0]);
    const ofTool = ['@bomb.sh/tab', '@kubernetes-models/base', 'diff'];
    const ours = Object.keys(product.dependencies).filter((name) => !ofTool.includes(name));
    const beside = readdirSync(join(root, 'app/node_modules/@koromix')).map((name) => `@koromix/${name}`);
    expect(names).toEqual(expect.arrayContaining([...ours, ...beside]));
    expect(names.filter((name) => name?.startsWith('@koromix/'))).toEqual(beside);
  });
});

describe('a registry in the lab', () => {
  let cluster: Cluster;
  let bench: Bench;
  const home = 'keepalive-system';
  beforeAll(async () => {
    cluster = await Cluster.up({ name: 'e2e-published', nodes: 1, owned: true });
    bench = new Bench(cluster);
    await startRegistry(cluster);
  }, buildMs);
  afterAll(() => cluster.down());

  const crane = async (...args: readonly string[]) => {
    const { stdout, stderr, code } = await cluster.exec([await craneProgram(), ...args]);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };

  test('is given the same bytes by another clone, in another folder', async () => {
    const control = await cluster.lab.host('control');
    await control.execOrThrow(release(...options), { cwd: there, env: process.env });
    const sums = (folder: string) => readFileSync(join(folder, 'dist/release/SHA256SUMS'), 'utf8');
    expect(sums(there)).toBe(sums(here));
    expect(await crane('digest', `${registry}/keepalive-operator:0.1.0`)).toBe(image.digest);
  }, 600_000);

  test('has a chart that installs the image of that release by its digest, which serves', async () => {
    const folder = join(cluster.lab.folder, 'helm');
    const env = { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
    const chart = await crane('digest', `${registry}/charts/keepalive-operator:0.1.0`);
    const from = `oci://${registry}/charts/keepalive-operator@${chart}`;
    const where = ['--namespace', home, '--create-namespace', '--wait', '--timeout=180s', '--plain-http'];
    const argv = [await helmProgram('Helm 4'), 'install', 'keepalive', from, ...where];
    const { code, stderr } = await cluster.exec(argv, { env });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    const images = await cluster.kubectl(
      ...['get', 'pods', '-A', '-l', 'app.kubernetes.io/name=keepalive-operator'],
      ...['-o', 'jsonpath={.items[*].status.containerStatuses[*].imageID}'],
    );
    const expected = `${registry}/keepalive-operator@${image.digest}`;
    expect([...new Set(images.split(' '))]).toEqual([expected]);
    await bench.apply(kap('default', 'team', 90));
    await bench.status({ kind: 'kap', name: 'team', namespace: 'default' }, isReady);
    await bench.start(sleeper('app', 'default'));
    await until('the pod has the values', async () => (await bench.valuesIn('app', 'default')) === '30/10/6');
  }, 300_000);

  test('has manifests beside it that kubectl takes, with the same image', async () => {
    const install = readFileSync(join(made, 'install.yaml'), 'utf8');
    expect(install).toContain(`image: ${registry}/keepalive-operator@${image.digest}`);
    await cluster.kubectl(
      ...['apply', '--dry-run=server', '--server-side', '--force-conflicts'],
      '-f',
      join(made, 'install.yaml'),
    );
  });
});
