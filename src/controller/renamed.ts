import { RequirementError } from '../kube/requirement.ts';
import { admissionPolicyNames } from '../policy/admission.ts';

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
