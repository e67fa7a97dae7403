import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Bench, Row } from './result.ts';
import { percentile } from './result.ts';

const root = join(import.meta.dirname, '../..');
const fileCount = 1000;
const rounds = 5;

/** The tool as it is packed, from the start of node to its end, beside a node that does nothing. */
export const tool: Bench = async (say) => {
  const scratch = mkdtempSync(join(tmpdir(), 'keepalive-bench-'));
  const [folder, packed] = [join(scratch, 'manifests'), join(scratch, 'package')];
  const program = join(packed, 'keepalive.mjs');
  try {
    say('packing it');
    await promisify(execFile)(process.execPath, [join(root, 'scripts/package.ts'), packed]);
    mkdirSync(folder);
    for (let at = 0; at < fileCount; at += 1) writeFileSync(join(folder, `app-${at}.yaml`), manifest(at));
    const runs: [what: string, argv: string[]][] = [
      ['node -e 0', ['-e', '0']],
      ['keepalive derive', [program, 'derive', '--timeout', '90s']],
      [`keepalive check of ${fileCount} files`, [program, 'check', '-f', folder]],
      [`keepalive render of ${fileCount} files`, [program, 'render', '-f', folder]],
    ];
    const rows = runs.map(([what, argv]): Row => {
      say(what);
      return { what, figures: timesOf(argv) };
    });
    const setting = `${fileCount} files: a Deployment of 25 lines each, every tenth with a policy beside it; ${rounds} runs each`;
    return [{ bench: 'cli', setting, rows }];
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

function timesOf(argv: readonly string[]): Row['figures'] {
  const ms = Array.from({ length: rounds }, () => {
    const startedAt = performance.now();
    const { status, stderr } = spawnSync(process.execPath, argv, { maxBuffer: 2 ** 28 });
    if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${String(stderr)}`);
    return performance.now() - startedAt;
  });
  return { 'least ms': Math.min(...ms), 'p50 ms': percentile(ms, 50), n: rounds };
}

function manifest(at: number): string {
  const policy = `---
apiVersion: keepalive.dev/v1alpha1
kind: KeepalivePolicy
metadata:
  name: behind-the-nat
  namespace: team-${at}
spec:
  podSelector: {}
  path:
    - name: office-nat
      type: NAT
      idleTimeoutSeconds: ${60 + (at % 500)}
`;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  namespace: team-${at - (at % 10)}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: app-${at}
  template:
    metadata:
      labels:
        app: app-${at}
    spec:
      containers:
        - name: main # the program
          image: registry.example/app:${at}
          ports:
            - containerPort: 8080
          resources:
            requests:
              cpu: 100m
              memory: 64Mi
          env:
            - name: LEVEL
              value: "info"
${at % 10 === 0 ? policy : ''}`;
}
