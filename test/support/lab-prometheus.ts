import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Alert } from '../../scripts/monitoring/alert.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { monitoringProgram } from './promtool.ts';

const address = '127.0.0.1:9090';

/** One series of an answer, with its value of now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** As the Prometheus operator makes it of deploy/monitoring/pod-monitor.yaml, both in one job; asked more often, since a test waits. */
function scrapeConfig(kubeconfig: string) {
  const pod = '__meta_kubernetes_pod_';
  const keep = (label: string, regex: string) => ({ source_labels: [pod + label], regex, action: 'keep' });
  const copy = (label: string, to: string) => ({ source_labels: [label], target_label: to });
  return {
    job_name: 'keepalive-system/keepalive-operator',
    scrape_interval: '2s',
    kubernetes_sd_configs: [
      {
        role: 'pod',
        kubeconfig_file: kubeconfig,
        namespaces: { names: ['keepalive-system', 'keepalive-agent'] },
      },
    ],
    relabel_configs: [
      keep('label_app_kubernetes_io_name', 'keepalive-operator'),
      keep('container_port_name', 'http'),
      { source_labels: [`${pod}phase`], regex: '(Failed|Succeeded)', action: 'drop' },
      copy('__meta_kubernetes_namespace', 'namespace'),
      copy(`${pod}name`, 'pod'),
      copy(`${pod}container_name`, 'container'),
    ],
  };
}

/** The rules as they are shipped, but that nobody has time to wait for. */
function hastened(alerts: readonly Alert[]) {
  return {
    groups: [{ name: 'all', interval: '1s', rules: alerts.map(({ name, expr }) => ({ alert: name, expr })) }],
  };
}

/** A real Prometheus beside the API server of a cluster; it ends with the cluster. */
export class LabPrometheus {
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  static async start(cluster: Cluster, alerts: readonly Alert[]): Promise<LabPrometheus> {
    const folder = join(cluster.lab.folder, 'prometheus');
    mkdirSync(folder);
    // JSON is YAML.
    writeFileSync(join(folder, 'rules.yaml'), JSON.stringify(hastened(alerts)));
    const config = { rule_files: ['rules.yaml'], scrape_configs: [scrapeConfig(cluster.kubeconfig)] };
    writeFileSync(join(folder, 'prometheus.yaml'), JSON.stringify(config));
    const host = await cluster.lab.host('control');
    await host.start(
      [
        monitoringProgram('prometheus'),
        `--config.file=${join(folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
      ],
      { logFile: join(cluster.lab.folder, 'log/prometheus.log'), env: cluster.environment() },
    );
    const prometheus = new LabPrometheus(cluster);
    await until('Prometheus serves', () => prometheus.query('vector(1)').catch(() => undefined));
    return prometheus;
  }

  /** Throws what Prometheus says to a query that it does not understand. */
  async query(expr: string): Promise<Sample[]> {
    const argv = [monitoringProgram('promtool'), 'query', 'instant', '-o', 'json', `http://${address}`, expr];
    const { stdout, stderr, code } = await this.#cluster.exec(argv);
    if (code !== 0) throw new Error(`${expr}: ${stderr}`);
    const found = JSON.parse(stdout) as readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
    return found.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }));
  }

  /** Names of what fires. */
  async firing(): Promise<string[]> {
    const samples = await this.query('ALERTS{alertstate="firing"}');
    return [...new Set(samples.map(({ metric }) => metric.alertname ?? ''))].sort();
  }

  async untilFires(...names: readonly string[]): Promise<void> {
    let last: readonly string[] = [];
    const fire = async () => {
      last = await this.firing();
      return names.every((name) => last.includes(name));
    };
    await until(`${names.join()} fires`, fire, { timeoutMs: 240_000, everyMs: 1000 }).catch(
      (error: unknown) => {
        throw new Error(`${(error as Error).message}; what fires is ${last.join()}`, { cause: error });
      },
    );
  }

  /** Those that look back over some minutes may fire on: they are told apart by whoever asks. */
  async untilQuiet(but: readonly string[] = []): Promise<void> {
    const quiet = async () => (await this.firing()).every((name) => but.includes(name));
    await until('nothing else fires', quiet, { timeoutMs: 240_000, everyMs: 1000 });
  }
}
