import type { KubeObject } from '../kube/resource.ts';
import { bundleWritersIn } from '../policy/bundle-writers.ts';
import { admissionDifference, staticAdmission, webhookAround } from '../policy/installation.ts';
import { leftOutBy } from '../policy/left-out.ts';
import type { Homes } from '../policy/webhook.ts';
import { unasked } from '../policy/webhook.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import { again } from './doctor-installation.ts';
import { placesIn } from './doctor-places.ts';
import type { Statement } from './explanation.ts';
import { fine, note, unknown, wrong } from './explanation.ts';

const { kind, metadata } = staticAdmission.webhook;
const title = `${kind} ${metadata.name}`;
const option = { component: 'webhook', value: 'admission=auto' } as const;

interface Webhook {
  readonly clientConfig: { readonly caBundle?: string };
  readonly [field: string]: unknown;
}

interface Configuration {
  readonly webhooks?: readonly Webhook[];
}

/** Whether new pods are changed by the webhook of the controller: where the API server has no policies for that, or has none of ours. */
export function isByWebhook({ admissionKinds, mutatingPolicies, webhook }: DoctorFacts): boolean {
  if (admissionKinds.known && !admissionKinds.value.includes('mutatingadmissionpolicies')) return true;
  if (!webhook.known || webhook.value === undefined || !mutatingPolicies.known) return false;
  const names = new Set(staticAdmission.policies.map((one) => one.metadata.name));
  return !mutatingPolicies.value.some((one) => names.has(one.metadata.name));
}

/** Whether API servers can ask the controller about new pods, as far as their configuration says. */
export function admissionByWebhook(facts: DoctorFacts): Statement[] {
  const { webhook } = facts;
  if (!webhook.known) return [unknown(`whether the webhook is installed: ${webhook.why}`)];
  if (webhook.value === undefined)
    return [
      wrong(
        `the API server does not serve MutatingAdmissionPolicy (admissionregistration.k8s.io/v1), and there is no ${title}, so no new pod gets its values`,
        again(facts, option),
      ),
    ];
  return configured(webhook.value, facts);
}

function configured(object: KubeObject, facts: DoctorFacts): Statement[] {
  const { webhooks = [] } = object as Configuration;
  const places = placesIn(facts);
  const differs = admissionDifference({ ...object, webhooks }, [webhookAround(places)]);
  if (differs !== undefined)
    return [
      wrong(`${title} differs in ${differs.field} from what this version installs`, again(facts, option)),
    ];
  const [other] = bundleWritersIn(object.metadata.annotations);
  if (other !== undefined)
    return [
      wrong(
        `${title} has the annotation ${other.annotation}, by which ${other.by} writes whom API servers trust, over what the controller writes there: new pods start without their values`,
        `take the annotation out of what brings it, and away: kubectl annotate ${kind.toLowerCase()} ${metadata.name} ${other.annotation}-; the controller writes its own within five minutes`,
      ),
    ];
  if (webhooks.some(({ clientConfig }) => (clientConfig.caBundle ?? '') === ''))
    return [
      wrong(
        `${title} does not say yet whom to trust, so API servers let new pods pass without their values`,
        'the controller writes it within seconds: see what is said of it here',
      ),
    ];
  return [
    fine('admission is by the webhook of the controller, installed as this version does it'),
    ...moreLeftOut(webhooks, places),
  ];
}

function moreLeftOut(webhooks: readonly Webhook[], places: Homes): Statement[] {
  const more = leftOutBy(metadata.name, webhooks).filter((name) => !unasked(places).includes(name));
  if (more.length === 0) return [];
  return [
    note(
      `the configuration of the webhook also leaves out new pods of ${more.join(', ')}, as GKE Autopilot has it of every webhook: a node agent gives them the values, or their templates`,
    ),
  ];
}
