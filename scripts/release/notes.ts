export interface Commit {
  readonly hash: string;
  readonly subject: string;
}

export interface Published {
  readonly version: string;
  /** The tag before; undefined where this is the first. */
  readonly since: string | undefined;
  readonly commits: readonly Commit[];
  /** As REGISTRY/keepalive-operator@sha256:… */
  readonly image: string;
  readonly chart: string;
  readonly isSigned: boolean;
}

/** Beside the notes, where a release is signed. */
export const publicKeyFile = 'keepalive-operator.pub';

/** What a reader of a release is told: what changed, in the words of the commits, and what it is by digest. */
export function notes({ version, since, commits, image, chart, isSigned }: Published): string {
  const changes = commits.map(({ hash, subject }) => `- ${subject} (${hash.slice(0, 7)})`);
  const before = since === undefined ? 'The first release.' : `Since ${since}:`;
  return [
    `# ${version}`,
    before,
    changes.length === 0 ? 'No commit.' : changes.join('\n'),
    '## By digest',
    [`- image: \`${image}\``, `- chart: \`${chart}\``].join('\n'),
    '`SHA256SUMS` has the digests of the files beside these notes.',
    '## By whom',
    isSigned ? verification([image, chart]) : 'Nobody has signed it.',
  ]
    .map((part) => `${part}\n`)
    .join('\n');
}

/** For cosign, which asks a log of Sigstore's where it is not told that the key is enough. */
function verification(artifacts: readonly string[]): string {
  const byKey = [`--key ${publicKeyFile}`, '--insecure-ignore-tlog=true'].join(' ');
  return [
    `\`${publicKeyFile}\` is the key. Where it is from somewhere else, it says more:`,
    '',
    '```sh',
    ...artifacts.map((artifact) => `cosign verify ${byKey} ${artifact}`),
    `cosign verify-blob ${byKey} --bundle SHA256SUMS.sigstore.json SHA256SUMS`,
    '```',
  ].join('\n');
}
