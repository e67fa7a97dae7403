import { OPERATOR_LABELS } from '../../src/api/group.ts';
import type { Alert } from './alert.ts';
import { operatorAlerts, policyAlerts, runbookOf } from './alert.ts';

/** As Prometheus reads them: `promtool check rules` takes this file, and a PrometheusRule has it as its spec. */
export function ruleGroups() {
  return {
    groups: [
      { name: 'keepalive-policies', rules: policyAlerts.map(ruleOf) },
      { name: 'keepalive-operator', rules: operatorAlerts.map(ruleOf) },
    ],
  };
}

function ruleOf(alert: Alert) {
  const { name, severity, expr, minutes, summary, description } = alert;
  return {
    alert: name,
    expr,
    ...(minutes === 0 ? {} : { for: `${minutes}m` }),
    labels: { severity },
    annotations: { summary, description, runbook: runbookOf(alert) },
  };
}

/** For the Prometheus operator. */
export function prometheusRule() {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'keepalive-operator', namespace: 'keepalive-system', labels: OPERATOR_LABELS },
    spec: ruleGroups(),
  };
}
