/** Writes docs/METRICS.md from the registry of a running node. Run it after a change of a measure:
 *
 *    npm run build && node dist/tests/observability/metrics-page.js --write
 *
 *  tests/observability/metrics-page.test.ts holds the page to the node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/config.js';
import { silentProcessLog } from '../../src/model/log.js';
import { startNode } from '../../src/node/node.js';
import type { MeasureFacts } from '../../src/observability/metrics.js';

/** From dist/tests/observability/ to the folder of the project. */
export const PAGE_PATH = fileURLToPath(new URL('../../../docs/METRICS.md', import.meta.url));

const CERTIFICATES = fileURLToPath(new URL('../../../tests/support/certificates', import.meta.url));

const INTRODUCTION = `# Metrics

This page is written from the registry of a running server (\`node dist/tests/observability/metrics-page.js --write\`); change the
measures, not it.

\`GET /metrics\` answers in the Prometheus text format; it asks for the key where one is set. Times are seconds, sizes bytes, shares 0 to 1.
What is not known has no series. Counters start at 0 with the process. A dashboard and alert rules over these are in
[deploy/grafana](deploy/grafana/skein.json) and [deploy/prometheus](deploy/prometheus/alerts.yml); what to do when one fires is in
[OPERATIONS.md](OPERATIONS.md). \`metrics: false\` measures nothing.

How many series there can be is bounded: routes, methods and error types come from the server's own tables, what no route has counts
under \`none\`; a hundred collections have series of their own and the others are \`(other)\`; replicas with series are at most 256.

A histogram \`x\` has \`x_bucket{le}\`, \`x_sum\` and \`x_count\`.
`;

/** Every measure of a node that has just started. @param folder for its data */
export async function measuresOfNode(
  folder: string,
): Promise<{ readonly facts: readonly MeasureFacts[]; readonly text: string }> {
  // With a certificate, so that what is measured of it is there too; nobody connects.
  const tls = { tlsCertFile: join(CERTIFICATES, 'node.pem'), tlsKeyFile: join(CERTIFICATES, 'node.key') };
  const flags = { dataDir: join(folder, 'data'), port: '0', ...tls };
  const { config } = loadConfig({ flags, environment: {}, workingDir: folder });
  const onFatal = (reason: string): void => {
    throw new Error(reason);
  };
  const node = await startNode({ config, shownConfig: {}, log: silentProcessLog, onFatal });
  try {
    if (node.metrics === null) throw new Error('the node measures nothing');
    return { facts: node.metrics.describe(), text: await node.metrics.text() };
  } finally {
    await node.stop();
  }
}

export function metricsPage(facts: readonly MeasureFacts[]): string {
  const groups = new Map<string, MeasureFacts[]>();
  for (const one of facts) groups.set(groupOf(one.name), [...(groups.get(groupOf(one.name)) ?? []), one]);
  const sections = [...groups].map(([group, measures]) => `## ${group}\n\n${table(measures)}`);
  return [INTRODUCTION, ...sections].join('\n');
}

/** \`skein_search_…\` → \`search\`; one that is alone with its first word stands under \`general\`. */
function groupOf(name: string): string {
  const [, first = ''] = name.split('_');
  const known = [
    'http',
    'search',
    'replication',
    'process',
    'system',
    'index',
    'collection',
    'backup',
    'health',
    'query',
    'disk',
  ];
  return known.includes(first) ? first : 'general';
}

function table(measures: readonly MeasureFacts[]): string {
  const rows = measures.map(({ name, type, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help.replaceAll('|', '\\|')} |`;
  });
  return `${['| name | type | labels | |', '|---|---|---|---|', ...rows].join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--write')) {
  const folder = mkdtempSync(join(tmpdir(), 'skein-metrics-'));
  try {
    writeFileSync(PAGE_PATH, metricsPage((await measuresOfNode(folder)).facts));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
