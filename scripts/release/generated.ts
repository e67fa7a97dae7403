/** Throws where a file is not what it is generated from: by its path, what it should be, and how what is there is read. */
export function holdGenerated(
  generated: Readonly<Record<string, string>>,
  present: (path: string) => string,
): void {
  const stale = Object.keys(generated).filter((path) => present(path) !== generated[path]);
  if (stale.length === 0) return;
  throw new Error(
    `not what src/ and package.json say: ${stale.join(', ')}. npm run generate, and commit what it writes`,
  );
}
