import type { PolicyKind } from '../api/group.ts';
import { GROUP, OPERATOR_LABELS, plurals, VERSION } from '../api/group.ts';
import { warnings } from '../api/warning.ts';
import { ADMISSION_API_VERSION } from './admission.ts';
import { matchConstraints } from './match-constraints.ts';

/** The ValidatingAdmissionPolicy of one kind and its binding, as they stand in deploy/. They refuse nothing. */
export function warningObjects(kind: PolicyKind): readonly object[] {
  const name = `warnings.${plurals[kind]}.${GROUP}`;
  const metadata = { name, labels: OPERATOR_LABELS };
  return [
    {
      apiVersion: ADMISSION_API_VERSION,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Ignore',
        matchConstraints: matchConstraints([
          {
            apiGroups: [GROUP],
            apiVersions: [VERSION],
            operations: ['CREATE', 'UPDATE'],
            resources: [plurals[kind]],
          },
        ]),
        validations: warnings[kind].map(({ cel, messageCel }) => ({
          expression: cel,
          messageExpression: messageCel,
        })),
      },
    },
    {
      apiVersion: ADMISSION_API_VERSION,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: name, validationActions: ['Warn'] },
    },
  ];
}
