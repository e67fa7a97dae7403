/** The keys and certificates of one cluster: one `openssl` process each, all at once, so they take 0.1 s together. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Family } from './addresses.ts';
import { addressing, apiServices, control } from './addresses.ts';
import { runOrThrow } from './command.ts';
import { all } from './wait.ts';

interface Certificate {
  readonly name: string;
  /** As openssl writes it: the organization is the group a Kubernetes user is in. */
  readonly subject: string;
  readonly authority?: 'ca' | 'front-ca';
  readonly extensions: readonly string[];
}

const client = ['extendedKeyUsage=clientAuth'];
const hosts = ['', '.default', '.default.svc', '.default.svc.cluster.local'].map(
  (end) => `DNS:kubernetes${end}`,
);
const names = [
  ...hosts,
  'DNS:localhost',
  'IP:127.0.0.1',
  ...[apiServices, control].flatMap(({ v4, v6 }) => [`IP:${v4}`, `IP:${v6}`]),
];

const authorities: readonly Certificate[] = ['ca', 'front-ca'].map((name) => ({
  name,
  subject: `/CN=${name}`,
  extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature'],
}));

/** Those who talk to the API server, and how it knows them. */
const users = {
  admin: '/O=system:masters/CN=admin',
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  'kube-proxy': '/CN=system:kube-proxy',
};

/** Writes everything into `folder`, with a NAME.kubeconfig for each user and each node. */
export async function issueKeys(
  folder: string,
  { nodes, family }: { readonly nodes: readonly string[]; readonly family: Family },
): Promise<void> {
  const { apiServer } = addressing(family);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The machine's own openssl.cnf would make an authority of every certificate.
  writeFileSync(join(folder, 'openssl.cnf'), '[req]\ndistinguished_name=dn\n[dn]\n');
  const subjects = {
    ...users,
    ...Object.fromEntries(nodes.map((node) => [node, `/O=system:nodes/CN=system:node:${node}`])),
  };
  const clients = Object.entries(subjects).map(([name, subject]) => ({ name, subject, extensions: client }));
  await all(authorities.map((one) => issue(folder, one)));
  await all(
    [
      ...clients,
      {
        name: 'apiserver',
        subject: '/CN=kube-apiserver',
        extensions: ['extendedKeyUsage=serverAuth', `subjectAltName=${names.join(',')}`],
      },
      { name: 'apiserver-kubelet', subject: '/O=system:masters/CN=apiserver-kubelet', extensions: client },
      {
        name: 'front-proxy',
        subject: '/CN=system:auth-proxy',
        authority: 'front-ca' as const,
        extensions: client,
      },
    ].map((one: Certificate) => issue(folder, { authority: 'ca', ...one })),
  );
  for (const { name } of clients)
    writeFileSync(join(folder, `${name}.kubeconfig`), kubeconfig(folder, name, apiServer));
  writeTokenKeys(folder);
}

async function issue(folder: string, { name, subject, authority, extensions }: Certificate): Promise<void> {
  const signer = authority === undefined ? [] : ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`];
  await runOrThrow(
    [
      ...'openssl req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365'.split(
        ' ',
      ),
      ...['-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.crt`],
      ...signer,
      ...extensions.flatMap((extension) => ['-addext', extension]),
    ],
    { cwd: folder },
  );
}

/** For whoever has the keys of `user` in `folder`. */
export function kubeconfig(folder: string, user: string, apiServer: string): string {
  const file = (name: string) => JSON.stringify(join(folder, name));
  return `apiVersion: v1
kind: Config
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: ${user}}}]
clusters: [{name: lab, cluster: {server: "${apiServer}", certificate-authority: ${file('ca.crt')}}}]
users: [{name: ${user}, user: {client-certificate: ${file(`${user}.crt`)}, client-key: ${file(`${user}.key`)}}}]
`;
}

/** The pair that signs service account tokens. */
function writeTokenKeys(folder: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, 'tokens.key'), privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });
  writeFileSync(join(folder, 'tokens.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}
