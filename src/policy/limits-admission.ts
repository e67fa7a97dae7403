import { GROUP, OPERATOR_LABELS, plurals, VERSION } from '../api/group.ts';
import { hopFactsCel, hopsCel } from '../api/path.ts';
import type { SettingName, Settings } from '../api/settings.ts';
import { settingFields, settingNames, SETTINGS_NAME, SETTINGS_NAMESPACE } from '../api/settings.ts';
import type { PolicySpec } from '../api/spec.ts';
import { ADMISSION_API_VERSION } from './admission.ts';
import { hopsBelow, keysBelow, repairsBeyondLimits } from './limits.ts';
import { matchConstraints } from './match-constraints.ts';

/** The rules of limits.ts once more, in CEL, so that a policy past them is refused where somebody reads why. */

const limitsName = `limits.${GROUP}`;
const settingsName = `settings.${GROUP}`;
const orAsk = `or ask whoever administers the cluster (ConfigMap ${SETTINGS_NAMESPACE}/${SETTINGS_NAME}`;

/** CEL: what one key says; where it cannot be read, the default. */
function settingCel(name: SettingName, isNumber: boolean): string {
  const { byDefault, isReadableCel } = settingFields[name];
  const text = `params.?data[?'${name}'].orValue('')`;
  return isNumber
    ? `${isReadableCel(text)} ? int(${text}) : ${byDefault}`
    : `${isReadableCel(text)} ? ${text} : '${byDefault}'`;
}

const path = {
  start: 'spec.path declares ',
  middle: '; a KeepalivePolicy of this cluster may declare no idle timeout below ',
  end: ` s: declare a longer one, ${orAsk}, smallestIdleTimeoutSeconds)`,
};
const keepalive = {
  start: 'spec.keepalive declares too small a value of ',
  middle: '; a KeepalivePolicy of this cluster may declare none below ',
  end: ` s: declare a larger one, ${orAsk}, smallestIntervalSeconds)`,
};
const repair =
  'spec.openConnections is Repair, which is the default; a KeepalivePolicy of this cluster may only count open connections: ' +
  `declare openConnections: Observe, ${orAsk}, openConnections)`;

/** What is told of a policy past the limits, field by field, in the words of the validations below. */
export interface LimitRefusal {
  readonly field: 'path' | 'keepalive' | 'openConnections';
  readonly message: string;
}

export function limitRefusals(spec: PolicySpec, settings: Settings): LimitRefusal[] {
  const { smallestIdleTimeoutSeconds, smallestIntervalSeconds } = settings;
  const hops = hopsBelow(spec, smallestIdleTimeoutSeconds).map(
    ({ name, idleTimeoutSeconds }) => `${name} (${idleTimeoutSeconds} s)`,
  );
  const keys = keysBelow(spec, smallestIntervalSeconds);
  const say = ({ start, middle, end }: typeof path, what: string, limit: number) =>
    `${start}${what}${middle}${limit}${end}`;
  return [
    ...(hops.length === 0
      ? []
      : [{ field: 'path' as const, message: say(path, hops.join(', '), smallestIdleTimeoutSeconds) }]),
    ...(keys.length === 0
      ? []
      : [
          {
            field: 'keepalive' as const,
            message: say(keepalive, keys.join(' and '), smallestIntervalSeconds),
          },
        ]),
    ...(repairsBeyondLimits(spec, settings) ? [{ field: 'openConnections' as const, message: repair }] : []),
  ];
}

/** CEL: a text that names the settings, of whatever namespace they are in: an overlay moves them, and no text of a policy. */
const celText = (text: string) =>
  `'${text.replace(`${SETTINGS_NAMESPACE}/`, "' + params.metadata.namespace + '/")}'`;

const declared = (key: string) => `object.spec.?keepalive.?${key}.orValue(variables.smallestInterval)`;
const tooSmall = (key: string) => `(${declared(key)} < variables.smallestInterval ? ['${key}'] : [])`;

const limits = {
  variables: [
    { name: 'smallestTimeout', expression: settingCel('smallestIdleTimeoutSeconds', true) },
    { name: 'smallestInterval', expression: settingCel('smallestIntervalSeconds', true) },
    { name: 'openConnections', expression: settingCel('openConnections', false) },
    {
      name: 'tooShort',
      expression: hopsCel(
        `${hopFactsCel.idleTimeoutSeconds} < variables.smallestTimeout`,
        `${hopFactsCel.name} + ' (' + string(${hopFactsCel.idleTimeoutSeconds}) + ' s)'`,
        'object.spec',
      ),
    },
    { name: 'tooOften', expression: `${tooSmall('timeSeconds')} + ${tooSmall('intervalSeconds')}` },
  ],
  validations: [
    {
      expression: 'size(variables.tooShort) == 0',
      messageExpression:
        `'${path.start}' + variables.tooShort.join(', ') + '${path.middle}' + ` +
        `string(variables.smallestTimeout) + ${celText(path.end)}`,
    },
    {
      expression: 'size(variables.tooOften) == 0',
      messageExpression:
        `'${keepalive.start}' + variables.tooOften.join(' and ') + '${keepalive.middle}' + ` +
        `string(variables.smallestInterval) + ${celText(keepalive.end)}`,
    },
    {
      expression:
        "variables.openConnections == 'Repair' || object.spec.?openConnections.orValue('Repair') != 'Repair'",
      messageExpression: celText(repair),
    },
  ],
};

/** What was stored before a limit is not refused where something else of it is written: a label, a finalizer. */
const specChanges = {
  name: 'spec-changes',
  expression: "request.operation == 'CREATE' || object.spec != oldObject.spec",
};

export function limitsPolicy() {
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: limitsName, labels: OPERATOR_LABELS },
    spec: {
      failurePolicy: 'Fail',
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: matchConstraints([
        {
          apiGroups: [GROUP],
          apiVersions: [VERSION],
          operations: ['CREATE', 'UPDATE'],
          resources: [plurals.KeepalivePolicy],
        },
      ]),
      matchConditions: [specChanges],
      ...limits,
    },
  };
}

/** Without the ConfigMap a policy can be applied; the controller and the agents then hold the defaults. */
export function limitsBinding() {
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: limitsName, labels: OPERATOR_LABELS },
    spec: {
      policyName: limitsName,
      paramRef: { name: SETTINGS_NAME, namespace: SETTINGS_NAMESPACE, parameterNotFoundAction: 'Allow' },
      validationActions: ['Deny'],
    },
  };
}

/** On the day that somebody throws the switch, a slip of the pen must not go by in silence. */
export function settingsPolicy() {
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: settingsName, labels: OPERATOR_LABELS },
    spec: {
      failurePolicy: 'Ignore',
      matchConstraints: matchConstraints(
        [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['configmaps'],
            resourceNames: [SETTINGS_NAME],
          },
        ],
        { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': SETTINGS_NAMESPACE } } },
      ),
      validations: [
        {
          expression: `object.?data.orValue({}).all(name, name in ['${settingNames.join("', '")}'])`,
          message: `there are these settings and no others: ${settingNames.join(', ')}`,
        },
        ...settingNames.map((name) => ({
          expression: `!has(object.data) || !('${name}' in object.data) || ${settingFields[name].isReadableCel(`object.data['${name}']`)}`,
          message: `${name}: expected ${settingFields[name].expected}`,
        })),
      ],
    },
  };
}

export function settingsBinding() {
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: settingsName, labels: OPERATOR_LABELS },
    spec: { policyName: settingsName, validationActions: ['Deny'] },
  };
}
