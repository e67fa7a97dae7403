import { admission, definitions, kubernetesVersion } from './doctor-api.ts';
import { clocks } from './doctor-clocks.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import { kyverno, podSecurity, refusals, settings } from './doctor-neighbours.ts';
import { agents, controller, nodeReports } from './doctor-operator.ts';
import { openShift } from './doctor-scc.ts';
import type { Statement } from './explanation.ts';

/** Everything that keeps the product from working here, in the order in which one thing follows from another. */
const checks: readonly (readonly [check: string, look: (facts: DoctorFacts) => readonly Statement[]])[] = [
  ['Kubernetes', kubernetesVersion],
  ['definitions', definitions],
  ['admission', admission], // What gives new pods their values.
  ['controller', controller],
  ['agents', agents],
  ['nodes', nodeReports],
  ['Pod Security', podSecurity], // From here on, what others refuse.
  ['OpenShift', openShift],
  ['Kyverno', kyverno],
  ['refusals', refusals],
  ['settings', settings],
  ['clocks', clocks],
];

export interface Diagnosed extends Statement {
  readonly check: string;
}

/** What was looked at and how it stands; a check that cannot be made is unknown, never fine. */
export function diagnose(facts: DoctorFacts): Diagnosed[] {
  return checks.flatMap(([check, look]) => look(facts).map((statement) => ({ check, ...statement })));
}
