import type { PolicyKind } from '../api/group.ts';
import { API_VERSION, plurals } from '../api/group.ts';
import type { Problem } from '../api/schema-node.ts';
import { fieldText, isObject, problemText } from '../api/schema-node.ts';
import type { Settings } from '../api/settings.ts';
import { defaultSettings, readSettings, SETTINGS_NAME, SETTINGS_NAMESPACE } from '../api/settings.ts';
import type { PolicySpec } from '../api/spec.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../api/spec.ts';
import { unknownFields, verdictOn, withoutNulls } from '../api/verdict.ts';
import { warnings } from '../api/warning.ts';
import { inExcess } from '../policy/limits.ts';
import { limitRefusals } from '../policy/limits-admission.ts';
import { givesUpEarly } from '../policy/patience.ts';
import type { Policy } from '../policy/policy.ts';
import { clusterPolicy, namespacedPolicy } from '../policy/policy.ts';
import { proxyFinding } from '../policy/proxy.ts';
import { asSwitchedOff } from '../policy/withheld.ts';
import type { Manifest } from './manifest.ts';
import { isOurs, templateAdvice } from './manifest.ts';
import type { Remark } from './remark.ts';
import { remark } from './remark.ts';

/** A policy of the input that the API server takes. */
export interface InputPolicy {
  readonly manifest: Manifest;
  readonly policy: Policy;
}

export interface JudgedPolicies {
  readonly policies: readonly InputPolicy[];
  readonly remarks: readonly Remark[];
}

/** Every policy by itself, as the API server judges it. */
export function judgePolicies(manifests: readonly Manifest[], defaultNamespace: string): JudgedPolicies {
  const { settings, manifest: where } = settingsIn(manifests);
  const judged = manifests.filter(isOurs).map((manifest) => judge(manifest, settings, defaultNamespace));
  const valid = judged.flatMap(({ policy }) => policy ?? []);
  const excess = inExcess(
    valid.map(({ policy, manifest }) => ({ ...policy, manifest })),
    settings,
  );
  const tooMany = new Set([...excess].map(({ manifest }) => manifest));
  const policies = valid.filter(({ manifest }) => !tooMany.has(manifest));
  const isOff =
    settings.acting !== 'Enforce' && policies.some(({ policy }) => policy.spec.mode === 'Enforce');
  return {
    policies: isOff
      ? policies.map(({ manifest, policy }) => ({ manifest, policy: asSwitchedOff(policy) }))
      : policies,
    remarks: [
      ...judged.flatMap(({ remarks }) => remarks),
      ...[...tooMany].map((manifest) => oneTooMany(manifest, settings)),
      ...duplicates(valid),
      ...(isOff && where !== undefined ? [switchedOff(where, settings)] : []),
    ],
  };
}

function switchedOff(manifest: Manifest, { acting }: Settings): Remark {
  const words = `policies change nothing: acting is ${acting}, which counts for all of them. Set it to Enforce to let them act`;
  return remark('switched-off', manifest, ['data', 'acting'], words);
}

function oneTooMany(manifest: Manifest, { policiesPerNamespace }: Settings): Remark {
  const words =
    `a namespace of this cluster may have ${policiesPerNamespace}, by age and then by name, and this is one more: leave one out, ` +
    `say in one policy what several say, or ask whoever administers the cluster (ConfigMap ${SETTINGS_NAME}, policiesPerNamespace)`;
  return remark('beyond-limits', manifest, ['metadata', 'name'], words);
}

interface Judged {
  readonly policy?: InputPolicy;
  readonly remarks: readonly Remark[];
}

function judge(manifest: Manifest, settings: Settings, defaultNamespace: string): Judged {
  const { kind, apiVersion, object } = manifest;
  if (kind === 'NodeKeepalive' && apiVersion === API_VERSION) {
    return {
      remarks: [
        remark('odd-value', manifest, ['kind'], 'agents write these: there is nothing in it to apply'),
      ],
    };
  }
  if (kind === '') {
    const words = "Object 'Kind' is missing: write kind: KeepalivePolicy or kind: ClusterKeepalivePolicy";
    return { remarks: [remark('refused', manifest, ['kind'], words)] };
  }
  if (!isPolicyKind(kind) || apiVersion !== API_VERSION) {
    const known = 'this version knows KeepalivePolicy and ClusterKeepalivePolicy in version';
    const words = `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}: ${known} ${API_VERSION}`;
    const path = Object.hasOwn(plurals, kind) ? ['apiVersion'] : ['kind'];
    return { remarks: [refusal({ path, body: words, nowhere: true }, manifest)] };
  }
  const unknown = unknownFields(kind, object).map((path) =>
    remark('unknown-field', manifest, path, `unknown field "${fieldText(path)}"`),
  );
  const refused = verdictOn(kind, object).map((problem) => refusal(problem, manifest));
  if (refused.length > 0) return { remarks: [...unknown, ...refused] };
  const policy = policyOf(kind, manifest, defaultNamespace);
  const beyond =
    kind === 'KeepalivePolicy'
      ? limitRefusals(policy.spec, settings).map(({ field, message }) =>
          remark('beyond-limits', manifest, ['spec', field], message),
        )
      : [];
  const remarks = [...unknown, ...beyond, ...hints(policy, manifest)];
  return beyond.length > 0 ? { remarks } : { remarks, policy: { manifest, policy } };
}

/** A value that a chart puts in later, in quotes and so YAML already, is not judged before. */
function refusal(problem: Problem, manifest: Manifest): Remark {
  const { path, at = path } = problem;
  const value = at.reduce<unknown>(
    (current, step) => (current as Record<string | number, unknown> | undefined)?.[step],
    manifest.object,
  );
  return manifest.source.found && JSON.stringify(value ?? '').includes('{{')
    ? remark('template-text', manifest, at, templateAdvice)
    : remark('refused', manifest, at, problemText(problem));
}

export function isPolicyKind(kind: string): kind is PolicyKind {
  return kind === 'KeepalivePolicy' || kind === 'ClusterKeepalivePolicy';
}

function policyOf(kind: PolicyKind, manifest: Manifest, defaultNamespace: string): Policy {
  const { spec } = withoutNulls(manifest.object) as { spec: unknown };
  return kind === 'KeepalivePolicy'
    ? namespacedPolicy(
        manifest.namespace || defaultNamespace,
        manifest.name,
        keepalivePolicySpecSchema.parse(spec),
      )
    : clusterPolicy(manifest.name, clusterKeepalivePolicySpecSchema.parse(spec));
}

/** What is valid and should be known: odd values, proxies, patience. */
function hints({ kind, spec, effective }: Policy, manifest: Manifest): Remark[] {
  const early = effective && givesUpEarly(effective);
  return [
    ...warnings[kind].flatMap(({ told }) => {
      const message = told(spec);
      return message === undefined
        ? []
        : [remark('odd-value', manifest, placeOfWarning(message, spec), message)];
    }),
    ...spec.path.flatMap((hop, at) => {
      const finding = proxyFinding(hop);
      return finding === undefined ? [] : [remark('proxy', manifest, ['spec', 'path', at], finding.message)];
    }),
    ...(early === undefined
      ? []
      : [remark('gives-up-early', manifest, ['spec', 'keepalive'], early.message)]),
  ];
}

/** Warnings name the hop or the selector they are about, and no place: kubectl has none either. */
function placeOfWarning(message: string, { path }: PolicySpec): (string | number)[] {
  if (message.startsWith('spec.nodes')) return ['spec', 'nodes'];
  if (message.startsWith('spec.podSelector')) return ['spec', 'podSelector'];
  const at = path.findIndex(({ name }) => name !== undefined && message.startsWith(`${name} `));
  return ['spec', 'path', Math.max(0, at)];
}

/** Of a ConfigMap in the input, of several that of the operator's own namespace; else the defaults, which the manifests install. */
function settingsIn(manifests: readonly Manifest[]): { settings: Settings; manifest?: Manifest } {
  const found = manifests.filter(
    ({ kind, apiVersion, name }) => kind === 'ConfigMap' && apiVersion === 'v1' && name === SETTINGS_NAME,
  );
  const manifest = found.find(({ namespace }) => namespace === SETTINGS_NAMESPACE) ?? found[0];
  if (manifest === undefined) return { settings: defaultSettings };
  const { data } = manifest.object;
  // Without quotes it is a number, and meant as one.
  const plain = Object.entries(isObject(data) ? data : {}).filter(([, value]) => typeof value !== 'object');
  const { settings } = readSettings(Object.fromEntries(plain.map(([key, value]) => [key, String(value)])));
  return { settings, manifest };
}

/** Of those that are named: a name that the API server makes is never that of another. */
function duplicates(policies: readonly InputPolicy[]): Remark[] {
  const byName = Map.groupBy(
    policies.filter(({ policy: { name } }) => name !== ''),
    ({ policy: { kind, namespace, name } }) => `${kind} ${namespace}/${name}`,
  );
  return [...byName.values()].flatMap(([first, ...others]) =>
    others.map(({ manifest }) => {
      const where = first === undefined ? '' : ` in ${first.manifest.source.name}`;
      return remark(
        'duplicate-policy',
        manifest,
        ['metadata', 'name'],
        `it is${where} too: give one another name, or remove it`,
      );
    }),
  );
}
