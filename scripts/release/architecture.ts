/** As images call them. */
export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

/** What is called otherwise elsewhere. */
export const namesOf = {
  amd64: { node: 'x64', folder: 'x86_64-linux-gnu', variant: undefined },
  arm64: { node: 'arm64', folder: 'aarch64-linux-gnu', variant: 'v8' },
} as const satisfies Record<Architecture, { node: string; folder: string; variant: string | undefined }>;

/** One for each. */
export async function forEach<T>(make: (one: Architecture) => Promise<T>): Promise<Record<Architecture, T>> {
  return { amd64: await make('amd64'), arm64: await make('arm64') };
}
