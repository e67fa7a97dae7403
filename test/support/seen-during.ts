/** Every value that `look` sees while `action` goes on. */
export async function seenDuring(
  look: () => Promise<readonly string[]>,
  action: () => Promise<unknown>,
): Promise<string[]> {
  const seen = new Set<string>();
  let done = false;
  const watching = (async () => {
    while (!done) for (const values of await look()) seen.add(values);
  })();
  try {
    await action();
  } finally {
    done = true;
    await watching;
  }
  return [...seen];
}
