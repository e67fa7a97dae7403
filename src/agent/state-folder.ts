const writable = 'let STATE_FOLDER be a folder of the host that the agent may write to';
const remedies: Readonly<Record<string, string>> = {
  // Root may write there whatever its mode, and the folder is root's.
  EACCES: `let the agent run as user 0, as its manifest has it, or ${writable}`,
  // The folder is made where it is missing: what is missing is where, in an image that is read-only.
  ENOENT: `mount a folder of the host there, as its manifest has it, or ${writable}`,
};

/** What keeps the agent from the folder of its state is for the administrator of the node to mend: it names the file. */
export function inStateFolder<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(
      `${file}, which the agents of this node go by, cannot be used (${message}): ` +
        (remedies[code] ?? `make room there, or ${writable}`),
      { cause: error },
    );
  }
}
