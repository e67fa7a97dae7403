/** What keeps the agent from the folder of its state is for the administrator of the node to mend: it names the file. */
export function inStateFolder<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new Error(
      `${file}, which the agents of this node go by, cannot be used (${(error as Error).message}): make room there, or let ` +
        'STATE_FOLDER be a folder of the host that the agent may write to',
      { cause: error },
    );
  }
}
