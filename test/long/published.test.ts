import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import type { Architecture } from '../../scripts/release/architecture.ts';
import { craneProgram } from '../../scripts/release/push.ts';
import { cosignProgram } from '../../scripts/release/signer.ts';
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
import { committing, releaseCopy } from '../support/release-copy.ts';
import { componentsIn } from '../support/spdx.ts';
import { Page } from '../unit/docs/page.ts';

const { version } = product;
const work = mkdtempSync(join(tmpdir(), 'keepalive-release-'));
const [here, there] = [join(work, 'here'), join(work, 'far/away')];
const made = join(here, 'dist/release');
const archiveUrl = `https://example.com/kubectl-keepalive-${version}.tar.gz`;
const keys = join(work, 'keys');
const options = ['--registry', registry, '--krew-url', archiveUrl, '--key', join(keys, 'cosign.key')];
const env = { ...process.env, COSIGN_PASSWORD: 'only in the test' };
const emulator = unpacked('qemu-user', ['qemu-user-static']);
const krewValidator = () => goTool('krew', 'sigs.k8s.io/krew/cmd/validate-krew-manifest');
const image = new ImageOnDisk(join(made, 'image'));

const listed = (architecture: Architecture, type: string) =>
  componentsIn(join(made, `keepalive-operator-${version}-${architecture}.spdx.json`), type);

const release = (...args: readonly string[]) => ['npm', 'run', '-s', 'release', '--', ...args];

/** A pair of keys, cosign.key and cosign.pub, in a folder of its own. */
async function makeKeys(folder: string): Promise<void> {
  mkdirSync(folder);
  await runOrThrow([await cosignProgram(), 'generate-key-pair'], { cwd: folder, env });
}

beforeAll(async () => {
  await buildHelms();
  for (const program of [craneProgram, cosignProgram, kustomizeProgram, krewValidator]) await program();
  await makeKeys(keys);
  if (!emulator.isBuilt()) await emulator.build();
  await releaseCopy(here);
  await releaseCopy(there);
  await runOrThrow(release('--dry-run', ...options), { cwd: here, env });
}, 3_600_000);
afterAll(() => {
  rmSync(work, { recursive: true });
});

describe('what a release is', () => {
  test('has checksums that sha256sum takes where its files are, without what goes into a registry', async () => {
    const files = readdirSync(made, { withFileTypes: true }).filter((one) => one.isFile());
    const downloads = join(work, 'downloads');
    mkdirSync(downloads);
    for (const { name } of files) copyFileSync(join(made, name), join(downloads, name));
    const said = await runOrThrow(['sha256sum', '--check', '--strict', 'SHA256SUMS'], { cwd: downloads });
    const signed = files.filter(({ name }) => !name.startsWith('SHA256SUMS'));
    expect(said.trim().split('\n')).toHaveLength(signed.length);
  });

  test('is refused where nobody says whether it is signed, and where its key cannot be used', async () => {
    const asked = (...args: readonly string[]) =>
      run(release('--registry', registry, ...args), { cwd: here, env });
    expect((await asked()).stderr).toContain('say by --key which key signs it');
    expect((await asked('--unsigned', '--key', join(keys, 'cosign.key'))).stderr).toContain('say by --key');
    expect((await asked('--key', join(keys, 'cosign.pub'))).stderr).toContain('cosign public-key ended');
  });

  test('is refused where a change is in no commit, and where the commit is not tagged', async () => {
    const asked = () => run(release(...options), { cwd: here, env });
    const git = (...args: readonly string[]) => runOrThrow(['git', ...args], { cwd: here, env: process.env });
    await git('tag', '--delete', `v${version}`);
    expect((await asked()).stderr).toContain(`is not tagged v${version}`);
    await git('tag', `v${version}`);
    await git('mv', 'LICENSE', 'LICENCE');
    expect((await asked()).stderr).toContain('changes that are in no commit');
    await git('mv', 'LICENCE', 'LICENSE');
  });

  test('is refused where the version is another and what is generated from it is not', async () => {
    const git = (...args: readonly string[]) => runOrThrow(['git', ...args], { cwd: here, env: committing });
    const described = join(here, 'package.json');
    const next = { ...product, version: '0.99.0' };
    writeFileSync(described, JSON.stringify(next));
    await git('commit', '--quiet', '--all', '--message', 'Another version');
    await git('tag', 'v0.99.0');
    const { stderr } = await run(release(...options), { cwd: here, env });
    expect(stderr).toContain('deploy/chart/Chart.yaml');
    expect(stderr).toContain('npm run generate');
    await git('reset', '--quiet', '--hard', `v${version}`);
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
    await runOrThrow(['tar', '-xzf', join(made, `kubectl-keepalive-${version}.tar.gz`), '-C', store]);
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
    const archive = join(made, `keepalive-operator-npm-${version}.tgz`);
    await runOrThrow(['npm', 'install', '--offline', archive], { cwd: project, env: process.env });
    const program = join(project, 'node_modules/.bin/keepalive');
    expect(await runOrThrow([program, '--version'])).toBe(`${version}\n`);
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
    expect(await inside('/app/main.mjs', 'version')).toEqual({ stdout: `${version}\n`, stderr: '', code: 0 });
  }, 120_000);

  test('starts the controller, which says that it finds no cluster, goes on asking, and ends when it is told to', async () => {
    const { told, stderr, code } = await image.controllerAlone(architecture, root);
    expect(told[0]).toMatchObject({ version, msg: 'starting' });
    const asking = { level: 'warn', reason: expect.stringContaining(': no answer (') };
    expect(told).toContainEqual(expect.objectContaining(asking));
    expect([told.at(-1)?.msg, stderr, code]).toEqual(['stopped', '', 0]);
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

  test('is given nothing where it has one of the two as something else under that version', async () => {
    const control = await cluster.lab.host('control');
    const taken = `${registry}/charts/keepalive-operator:${version}`;
    await crane('append', '--new_layer', '/dev/null', '--new_tag', taken);
    const { code, stderr } = await control.exec(release(...options), { cwd: there, env });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${taken} is published already`)]);
    expect(await crane('catalog', registry)).toBe('charts/keepalive-operator');
  }, 600_000);

  test('is given the same bytes by another clone, in another folder, where that is to be replaced', async () => {
    const control = await cluster.lab.host('control');
    await control.execOrThrow(release(...options, '--replace'), { cwd: there, env });
    const sums = (folder: string) => readFileSync(join(folder, 'dist/release/SHA256SUMS'), 'utf8');
    expect(sums(there)).toBe(sums(here));
    expect(await crane('digest', `${registry}/keepalive-operator:${version}`)).toBe(image.digest);
  }, 600_000);

  test('takes the same once more', async () => {
    const control = await cluster.lab.host('control');
    // Signed twice, each of the signatures would be shown below.
    const unsigned = ['--registry', registry, '--output', join(work, 'again'), '--unsigned'];
    await control.execOrThrow(release(...unsigned), { cwd: here, env });
    expect(await crane('digest', `${registry}/keepalive-operator:${version}`)).toBe(image.digest);
  }, 600_000);

  describe('says who made it', () => {
    const others = join(work, 'others');
    const folder = join(there, 'dist/release');
    const name = `${registry}/keepalive-operator`;
    beforeAll(() => makeKeys(others));

    /** Runs cosign where the release is, with another key than the release's where it is told so. */
    const cosign = async (args: readonly string[], key = join(folder, 'keepalive-operator.pub')) => {
      const keyed = args.map((arg) => (arg === 'keepalive-operator.pub' ? key : arg));
      const argv = ['env', '-C', folder, await cosignProgram(), ...keyed];
      return cluster.exec(argv, { env: { HOME: others } });
    };
    const byKey = ['--key', 'keepalive-operator.pub', '--insecure-ignore-tlog=true'];

    async function isRefused(args: readonly string[], key?: string): Promise<void> {
      const { code, stderr } = await cosign(args, key);
      expect([args, code === 0, stderr]).toEqual([args, false, expect.stringMatching(/signature/i)]);
    }

    test('by the commands of its notes, and by no other key', async () => {
      const [, block = ''] = /^```sh\n(.*?)^```/ms.exec(readFileSync(join(folder, 'NOTES.md'), 'utf8')) ?? [];
      const commands = block.trim().split('\n');
      expect(commands).toHaveLength(3);
      for (const command of commands) {
        const args = command.split(' ').slice(1);
        expect([command, await cosign(args)]).toEqual([command, expect.objectContaining({ code: 0 })]);
        await isRefused(args, join(others, 'cosign.pub'));
      }
    }, 120_000);

    test('of the image of each architecture too, with what is in it', async () => {
      for (const architecture of ['amd64', 'arm64'] as const) {
        const digest = await crane('digest', '--platform', `linux/${architecture}`, `${name}:${version}`);
        expect((await cosign(['verify', ...byKey, `${name}@${digest}`])).code).toBe(0);
        const verified = ['verify-attestation', '--type', 'spdxjson', ...byKey, `${name}@${digest}`];
        const { stdout } = await cosign(verified);
        const { payload } = JSON.parse(stdout) as { payload: string };
        const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as { predicate: object };
        const file = `keepalive-operator-${version}-${architecture}.spdx.json`;
        expect(predicate).toEqual(JSON.parse(readFileSync(join(folder, file), 'utf8')));
      }
    }, 120_000);

    test('and not of what somebody else pushed', async () => {
      const image = await crane('append', '--new_layer', '/dev/null', '--new_tag', `${name}:forged`);
      await isRefused(['verify', ...byKey, image]);
    });

    test('and not of files that somebody changed', async () => {
      const forged = join(work, 'SHA256SUMS');
      writeFileSync(forged, readFileSync(join(folder, 'SHA256SUMS'), 'utf8').replace('0', '1'));
      await isRefused(['verify-blob', ...byKey, '--bundle', 'SHA256SUMS.sigstore.json', forged]);
    });
  });

  test('has a chart that installs the image of that release by its digest, which serves, by the one command that README has', async () => {
    const [told = ''] = new Page('README.md').blocks('sh', 'Install');
    const folder = join(cluster.lab.folder, 'helm');
    const env = { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
    const chart = await crane('digest', `${registry}/charts/keepalive-operator:${version}`);
    const command = told.replace('REGISTRY', registry).replace('sha256:…', chart);
    const argv = [...command.trim().split(' ').slice(1), '--wait', '--timeout=180s', '--plain-http'];
    const { code, stderr } = await cluster.exec([await helmProgram('Helm 4'), ...argv], { env });
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
    // By the libbpf that the published image brings, which is not that of the lab's own.
    await bench.report('n1', ({ connections }) => connections?.by === 'BPF');
  }, 300_000);

  test.each(['install.yaml', 'install-webhook.yaml'])(
    'has %s beside it, which kubectl takes, with the same image',
    async (file) => {
      const install = readFileSync(join(made, file), 'utf8');
      expect(install).toContain(`image: ${registry}/keepalive-operator@${image.digest}`);
      await cluster.kubectl(
        ...['apply', '--dry-run=server', '--server-side', '--force-conflicts'],
        '-f',
        join(made, file),
      );
    },
  );
});
