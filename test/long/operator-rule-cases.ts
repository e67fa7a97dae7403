import type { RuleCase } from './rule-case.ts';

const fewMissing = (count: number) =>
  `${count} nodes have no agent of which the controller hears, and for six hours there have always been some.`;

export const operatorCases: readonly RuleCase[] = [
  {
    ...{ alert: 'KeepaliveNoLeader', when: 'where all wait', at: 5 },
    series: { 'keepalive_leader{instance="a"}': '0x10', 'keepalive_leader{instance="b"}': '0x10' },
    fires: { labels: {}, summary: '0 replicas of the controller act, and it should be one.' },
  },
  {
    ...{ alert: 'KeepaliveNoLeader', when: 'where none is there', at: 20 },
    series: { 'keepalive_leader{instance="a"}': '1x10' },
    fires: { labels: {}, summary: '0 replicas of the controller act, and it should be one.' },
  },
  {
    ...{ alert: 'KeepaliveNoLeader', when: 'where two act', at: 5 },
    series: { 'keepalive_leader{instance="a"}': '1x10', 'keepalive_leader{instance="b"}': '1x10' },
    fires: { labels: {}, summary: '2 replicas of the controller act, and it should be one.' },
  },
  {
    ...{ alert: 'KeepaliveNoLeader', when: 'where two jobs scrape the one that acts', at: 20 },
    series: {
      'keepalive_leader{instance="a",job="annotations"}': '1x20',
      'keepalive_leader{instance="a",job="PodMonitor"}': '1x20',
    },
  },
  {
    ...{ alert: 'KeepaliveNoLeader', when: 'where one acts in each of two clusters', at: 20 },
    series: {
      'keepalive_leader{instance="a",cluster="x"}': '1x20',
      'keepalive_leader{instance="a",cluster="y"}': '1x20',
    },
  },
  {
    ...{
      alert: 'KeepaliveNoLeader',
      when: 'where none acts in one of two clusters',
      at: 20,
    },
    series: {
      'keepalive_leader{instance="a",cluster="x"}': '0x20',
      'keepalive_leader{instance="a",cluster="y"}': '1x20',
    },
    fires: { labels: { cluster: 'x' }, summary: '0 replicas of the controller act, and it should be one.' },
  },
  {
    ...{ alert: 'KeepaliveNoLeader', when: 'where the series of one of two clusters end', at: 30 },
    series: {
      'keepalive_leader{instance="a",cluster="x"}': '1x10 _x30',
      'keepalive_leader{instance="a",cluster="y"}': '1x40',
    },
    fires: { labels: { cluster: 'x' }, summary: '0 replicas of the controller act, and it should be one.' },
  },
  {
    ...{ alert: 'KeepaliveNoLeader', when: 'in a takeover', at: 10 },
    series: { 'keepalive_leader{instance="a"}': '1x4 0x10', 'keepalive_leader{instance="b"}': '0x5 1x10' },
  },
  {
    ...{
      alert: 'KeepaliveReconcileFailing',
      when: 'where one fails at each try, which come every 5 minutes in the end',
      at: 60,
    },
    series: {
      'keepalive_reconcile_total{kind="KeepalivePolicy",outcome="failed"}':
        '1 3 4 5 5 6 6 6 6 7 7 7 7 8 8 8 8 9 9 9 9 10 10 10 10 11 11 11 11 12 12 12 12 13 13 13 13 14 14 14 14 15 15 15 15 16 16 16 16 17 17 17 17 18 18 18 18 19 19 19 19 20',
    },
    fires: {
      labels: { kind: 'KeepalivePolicy' },
      summary: 'Looks at objects of kind KeepalivePolicy fail again and again.',
    },
  },
  {
    ...{ alert: 'KeepaliveReconcileFailing', when: 'where some conflict, and all is well again', at: 40 },
    series: { 'keepalive_reconcile_total{kind="KeepalivePolicy",outcome="failed"}': '0x10 3x40' },
  },
  {
    ...{
      alert: 'KeepaliveReconcileFailing',
      when: 'where all failed for some minutes, and all is well',
      at: 26,
    },
    series: { 'keepalive_reconcile_total{kind="KeepalivePolicy",outcome="failed"}': '0x10 2 4 6 7 8 8x40' },
  },
  {
    ...{ alert: 'KeepaliveReconcileFailing', when: 'however many end well', at: 40 },
    series: { 'keepalive_reconcile_total{kind="KeepalivePolicy",outcome="done"}': '0+50x50' },
  },
  {
    ...{ alert: 'KeepaliveWatchSilent', when: 'of one resource, whichever job scrapes', at: 17 },
    series: {
      'keepalive_reflector_last_contact_seconds{instance="a",resource="nodekeepalives",job="annotations"}':
        '0+60x20',
      'keepalive_reflector_last_contact_seconds{instance="a",resource="nodekeepalives",job="PodMonitor"}':
        '0+60x20',
      'keepalive_reflector_last_contact_seconds{instance="a",resource="pods"}': '12x20',
    },
    fires: {
      labels: { instance: 'a', resource: 'nodekeepalives' },
      summary: 'A replica of the controller (a) has heard nothing of nodekeepalives for 1020 s.',
    },
  },
  {
    ...{ alert: 'KeepaliveWatchSilent', when: 'where a quiet watch is opened anew', at: 40 },
    series: {
      'keepalive_reflector_last_contact_seconds{instance="a",resource="deployments"}':
        '0+60x10 0+60x10 0+60x10 0+60x10',
    },
  },
  {
    ...{ alert: 'KeepaliveAdmissionSilent', when: 'after 5 minutes', at: 10 },
    series: { 'keepalive_admission_answers_total{answer="silent"}': '0x2 1+6x20' },
    fires: { labels: {}, summary: 'The API server lets new pods pass without the values.' },
  },
  {
    ...{ alert: 'KeepaliveAdmissionSilent', when: 'of half a minute without it that is long over', at: 8 },
    series: { 'keepalive_admission_answers_total{answer="silent"}': '0x2 60x30' },
  },
  {
    ...{ alert: 'KeepaliveAdmissionSilent', when: 'where it is seen', at: 10 },
    series: {
      'keepalive_admission_answers_total{answer="seen"}': '0+6x20',
      'keepalive_admission_answers_total{answer="silent"}': '4x20',
    },
  },
  {
    ...{
      alert: 'KeepaliveAgentsMissing',
      when: 'after a quarter of an hour, whichever replica is asked',
      at: 16,
    },
    series: {
      'keepalive_agents_wanted{instance="a"}': '5x20',
      'keepalive_agents_wanted{instance="b"}': '5x20',
      'keepalive_agents_reporting{instance="a"}': '3x20',
      'keepalive_agents_reporting{instance="b"}': '3x20',
    },
    fires: { labels: {}, summary: '2 nodes have no agent of which the controller hears.' },
  },
  {
    ...{ alert: 'KeepaliveAgentsMissing', when: 'in the smaller of two clusters', at: 16 },
    series: {
      'keepalive_agents_wanted{cluster="x"}': '9x20',
      'keepalive_agents_reporting{cluster="x"}': '9x20',
      'keepalive_agents_wanted{cluster="y"}': '5x20',
      'keepalive_agents_reporting{cluster="y"}': '3x20',
    },
    fires: { labels: { cluster: 'y' }, summary: '2 nodes have no agent of which the controller hears.' },
  },
  {
    ...{ alert: 'KeepaliveAgentsMissing', when: 'while agents are replaced one after the other', at: 20 },
    series: { keepalive_agents_wanted: '5x25', keepalive_agents_reporting: '5x3 4x8 5x12' },
  },
  {
    ...{ alert: 'KeepaliveAgentsMissing', when: 'where none is meant to be', at: 20 },
    series: { keepalive_leader: '1x20' },
  },
  {
    ...{ alert: 'KeepaliveAgentsMissing', when: 'of more than one in a hundred of many', at: 16 },
    series: { keepalive_agents_wanted: '3000x20', keepalive_agents_reporting: '2969x20' },
    fires: { labels: {}, summary: '31 nodes have no agent of which the controller hears.' },
  },
  {
    ...{ alert: 'KeepaliveAgentsMissing', when: 'while some of many nodes have always just come', at: 60 },
    series: { keepalive_agents_wanted: '3000x60', keepalive_agents_reporting: '2970x60' },
  },
  {
    ...{ alert: 'KeepaliveFewAgentsMissing', when: 'where the same ten of many stay without', at: 361 },
    series: { keepalive_agents_wanted: '3000x400', keepalive_agents_reporting: '2990x400' },
    fires: { labels: {}, summary: fewMissing(10) },
  },
  {
    ...{ alert: 'KeepaliveFewAgentsMissing', when: 'of one of some hundreds', at: 361 },
    series: { keepalive_agents_wanted: '500x400', keepalive_agents_reporting: '499x400' },
    fires: { labels: {}, summary: fewMissing(1) },
  },
  {
    ...{ alert: 'KeepaliveFewAgentsMissing', when: 'where all that had come had theirs in between', at: 400 },
    series: { keepalive_agents_wanted: '500x500', keepalive_agents_reporting: '496x200 500 496x300' },
  },
  {
    ...{
      alert: 'KeepaliveFewAgentsMissing',
      when: 'while others have just come, each time that one looks',
      at: 400,
    },
    series: { keepalive_agents_wanted: '3000x500', keepalive_agents_reporting: '2990x200 2997 2990x300' },
  },
  {
    ...{
      alert: 'KeepaliveValuesFoughtOver',
      when: 'of a single rival, whom the agent keeps waiting',
      at: 50,
    },
    // Three at once, then after 1, 2, 4, 8, 16, 32 minutes.
    series: {
      'keepalive_agent_repairs_total{pod="p",instance="i"}': '0 3 4 4 5 5 5 5 6 6 6 6 6 6 6 6 7x16 8x40',
    },
    fires: {
      labels: { pod: 'p', instance: 'i' },
      summary: 'Something on the node of i sets values back, 8 times within the hour.',
    },
  },
  {
    ...{ alert: 'KeepaliveValuesFoughtOver', when: 'where a script ran once in each of some pods', at: 50 },
    series: { 'keepalive_agent_repairs_total{pod="p",instance="i"}': '0x10 4x50' },
  },
  {
    ...{
      alert: 'KeepaliveWebhookCertificateOld',
      when: 'after an hour with less than three weeks left',
      at: 61,
    },
    series: { 'keepalive_webhook_certificate_until_seconds{pod="p",instance="i"}': `${20 * 86_400}x70` },
    fires: {
      labels: { pod: 'p', instance: 'i' },
      summary: 'The certificate of the webhook ends within three weeks, or there is none.',
    },
  },
  {
    ...{ alert: 'KeepaliveWebhookCertificateOld', when: 'where none is made', at: 61 },
    series: { 'keepalive_webhook_certificate_until_seconds{pod="p",instance="i"}': '0x70' },
    fires: {
      labels: { pod: 'p', instance: 'i' },
      summary: 'The certificate of the webhook ends within three weeks, or there is none.',
    },
  },
  {
    ...{ alert: 'KeepaliveWebhookCertificateOld', when: 'while it is good for a month', at: 61 },
    series: { 'keepalive_webhook_certificate_until_seconds{pod="p",instance="i"}': `${30 * 86_400}x70` },
  },
];
