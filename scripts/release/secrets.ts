/** Out of an environment: what cosign reads of it, and the key that `env://NAME` names. What is started from then on inherits none of it. */
export function takeSecrets(environment: NodeJS.ProcessEnv, key: string | undefined): NodeJS.ProcessEnv {
  const named = /^env:\/\/(.+)$/.exec(key ?? '')?.[1];
  const taken = Object.entries(environment).filter(([name]) => name.startsWith('COSIGN_') || name === named);
  for (const [name] of taken) delete environment[name];
  return Object.fromEntries(taken);
}
