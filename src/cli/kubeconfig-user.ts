import { existsSync } from 'node:fs';

import { isObject } from '../api/schema-node.ts';
import { CommandError } from './terminal.ts';

type Fields = Readonly<Record<string, unknown>>;

/** As client-node understands it: kubectl has the token of a file before one that is written out, while there is the file. */
export function withTokenFile(user: Fields): Fields {
  const { token, tokenFile, ...others } = user;
  if (typeof tokenFile !== 'string' || tokenFile === '') return user;
  if (token !== undefined && !existsSync(tokenFile)) return user;
  return { ...others, 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
}

/** Headers for all that client-node leaves out of whom a user acts as: without them the API server would answer somebody else. */
export function impersonationOf(name: string, user: Fields): Record<string, string> {
  const extra = isObject(user['as-user-extra']) ? Object.entries(user['as-user-extra']) : [];
  const said = [
    { key: 'as-groups', header: 'group', values: textsOf(user['as-groups']) },
    { key: 'as-uid', header: 'uid', values: textsOf(user['as-uid']) },
    ...extra.map(([key, value]) => ({
      key: `as-user-extra.${key}`,
      header: `extra-${encodeURIComponent(key)}`,
      values: textsOf(value),
    })),
  ].filter(({ values }) => values.length > 0);
  // Of several, undici makes one header with commas in HTTP/2, which the API server takes for one group of that name.
  const several = said.find(({ values }) => values.length > 1);
  if (several !== undefined)
    throw new CommandError(
      `user ${name} of the kubeconfig has several ${several.key}, and keepalive can send one: keep the one that may read, or choose another --context`,
    );
  if (said.length > 0 && textsOf(user.as).length === 0)
    throw new CommandError(
      `user ${name} of the kubeconfig has ${said.map(({ key }) => key).join(', ')} without \`as\`, which the API server refuses: add it, or choose another --context`,
    );
  return Object.fromEntries(said.map(({ header, values }) => [`impersonate-${header}`, values.join('')]));
}

/** Of one text, or of a list of them. */
function textsOf(value: unknown): string[] {
  return [value].flat().filter((one): one is string => typeof one === 'string' && one !== '');
}
