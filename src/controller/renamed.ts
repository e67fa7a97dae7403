import { SETTINGS_NAME } from '../api/settings.ts';
import type { ApiClient } from '../kube/client.ts';
import { isForbidden } from '../kube/errors.ts';
import type { Log } from '../kube/log.ts';
import { answered, RequirementError } from '../kube/requirement.ts';
import type { Target } from '../kube/resource.ts';
import { admissionPolicyNames } from '../policy/admission.ts';
import { webhookName } from '../policy/webhook.ts';
import { resources } from './resource.ts';

const names: readonly string[] = Object.values(admissionPolicyNames);

/**
 * An overlay with a prefix renames the admission policies, and kustomize does not follow the name into the binding: no
 * new pod would be covered, for ever. Throws a RequirementError that says what to do.
 */
export function assertNotRenamed(installed: Iterable<{ readonly name: string }>): void {
  const found = [...installed].map(({ name }) => name);
  if (names.every((name) => found.includes(name))) return;
  const renamed = found.find(
    (name) => !names.includes(name) && name.includes(admissionPolicyNames.KeepalivePolicy),
  );
  if (renamed === undefined) return;
  throw new RequirementError(
    `MutatingAdmissionPolicy ${renamed} is ours under another name, which neither its binding nor the controller knows: ` +
      'an overlay may give a prefix or suffix to other kinds only; docs/install.md, "An overlay that renames", has one',
  );
}

interface Circumstances {
  readonly log: Log;
  readonly signal: AbortSignal;
  /** So many answers may say so before it is believed: rights that were granted a moment ago are learned of by then. */
  readonly patience?: number;
}

/**
 * The same where a webhook changes new pods. Its configuration may be asked for under its own name alone, so that what an overlay calls
 * it is not seen. But the overlay renames the settings as well, and kustomize follows their name into the rights: they may not be
 * read either then, for ever, and nothing would be said. Resolves where nothing speaks for that, or `signal` aborts.
 */
export async function assertWebhookNotRenamed(
  client: ApiClient,
  namespace: string,
  { log, signal, patience = 3 }: Circumstances,
): Promise<void> {
  const one = (target: Target, name: string) =>
    client.listPage(target, { limit: 1, fieldSelector: `metadata.name=${name}` }, { signal });
  const ask = async () => {
    const { items } = await one(resources.mutatingwebhookconfigurations, webhookName);
    if (items.length > 0) return;
    await one({ ...resources.configmaps, namespace }, SETTINGS_NAME).catch((error: unknown) => {
      throw isForbidden(error) ? new RequirementError(webhookRenamed(namespace)) : error;
    });
  };
  await answered(ask, { log, signal, patience });
}

function webhookRenamed(namespace: string): string {
  return (
    `MutatingWebhookConfiguration ${webhookName} is not there, and ConfigMap ${SETTINGS_NAME} of namespace ${namespace} may not be read: an overlay has ` +
    'renamed them, and the controller knows them by these names alone: it may give a prefix or suffix to other kinds only; ' +
    'docs/install.md, "An overlay that renames", has one. Where none renames, the installation is not whole: install the operator again'
  );
}
