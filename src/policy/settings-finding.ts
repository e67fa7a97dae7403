import { SETTINGS_NAME } from '../api/settings.ts';
import type { SettingsReading } from '../api/settings.ts';
import type { Finding } from '../api/status.ts';
import { findingLimit } from '../api/status.ts';
import type { Assessment } from './assess.ts';
import { repairsBeyondLimits } from './limits.ts';
import type { PolicyRecord } from './record.ts';

/** What the settings of the cluster mean for one policy that acts. */
export function settingsFindings(
  { kind, policy }: PolicyRecord,
  { settings, problems }: SettingsReading,
): Finding[] {
  const findings: Finding[] = problems.map((problem) => ({
    reason: 'SettingsUnreadable',
    message: `ConfigMap ${SETTINGS_NAME}: ${problem}. Whoever administers the cluster can correct it`,
  }));
  const onlyObserves =
    kind === 'KeepalivePolicy' && policy !== undefined && repairsBeyondLimits(policy.spec, settings);
  return onlyObserves ? [...findings, repairNotAllowed] : findings;
}

const repairNotAllowed: Finding = {
  reason: 'RepairNotAllowed',
  message:
    `open connections are only counted: ConfigMap ${SETTINGS_NAME} (openConnections) allows namespaced policies no more. ` +
    'Declare openConnections: Observe, or ask whoever administers the cluster',
};

/** These first. */
export function withFindings(assessment: Assessment, findings: readonly Finding[]): Assessment {
  return {
    ...assessment,
    findings: [...findings, ...assessment.findings].slice(0, findingLimit),
    findingsTotal: assessment.findingsTotal + findings.length,
  };
}
