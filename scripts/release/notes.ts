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
}

/** What a reader of a release is told: what changed, in the words of the commits, and what it is by digest. */
export function notes({ version, since, commits, image, chart }: Published): string {
  const changes = commits.map(({ hash, subject }) => `- ${subject} (${hash.slice(0, 7)})`);
  const before = since === undefined ? 'The first release.' : `Since ${since}:`;
  return [
    `# ${version}`,
    before,
    changes.length === 0 ? 'No commit.' : changes.join('\n'),
    '## By digest',
    [`- image: \`${image}\``, `- chart: \`${chart}\``].join('\n'),
    '`SHA256SUMS` has the digests of the files beside these notes.\n',
  ].join('\n\n');
}
