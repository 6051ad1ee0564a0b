/** docs/deploy/prometheus and docs/deploy/grafana: rules and panels that ask for what a running node exports, and for nothing else. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { ERRORS } from '../../src/model/errors.js';
import type { MeasureFacts } from '../../src/observability/metrics.js';
import { measuresOfNode } from '../observability/metrics-page.js';
import { deployText } from '../support/deploy-files.js';
import { suite } from '../support/suite.js';

const test = suite('house/deploy-monitoring');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly refId: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly panels: readonly Panel[];
}

/** Of every scrape, by Prometheus itself. */
const SCRAPE_LABELS = ['instance', 'job'];
const rules = (parse(deployText('prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const dashboard = JSON.parse(deployText('grafana/skein.json')) as Dashboard;

/** What an expression asks for: names of series, and the labels that it selects, groups or shows by. */
function askedBy(expr: string): { readonly names: string[]; readonly labels: string[] } {
  const names = [...expr.matchAll(/\bskein_[a-z0-9_]+/g)].map(([name]) => name);
  const selected = [...expr.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label]) => label ?? '');
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) =>
    (list ?? '').split(',').map((label) => label.trim()),
  );
  return { names, labels: [...selected, ...grouped] };
}

function mustBeExported(where: string, expr: string, facts: readonly MeasureFacts[], shown: readonly string[] = []): void {
  const { names, labels } = askedBy(expr);
  assert.ok(names.length > 0 || expr.startsWith('up{'), `${where}: ${expr} asks for nothing of ours`);
  const known = new Set(SCRAPE_LABELS);
  for (const name of names) {
    const histogram = facts.find((fact) => fact.type === 'histogram' && name === `${fact.name}_bucket`);
    const fact = histogram ?? facts.find((one) => one.name === name && one.type !== 'histogram');
    assert.ok(fact !== undefined, `${where}: no measure ${name}`);
    for (const label of fact?.labels ?? []) known.add(label);
    if (histogram !== undefined) known.add('le');
    const isRated = new RegExp(`(?:rate|increase)\\(${name}\\b`).test(expr);
    if (fact?.type === 'counter') assert.ok(isRated, `${where}: ${name} is a counter, and its rate is what says something`);
  }
  for (const label of [...labels, ...shown]) assert.ok(known.has(label), `${where}: no label ${label} in ${expr}`);
}

const shownIn = (text: string): string[] =>
  [...text.matchAll(/\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}/g)].map(([, label]) => label ?? '');

test('every rule and every panel asks for measures and labels that a running node has', async (t) => {
  const { facts } = await measuresOfNode(t.folder());
  for (const { alert, expr, annotations } of rules) mustBeExported(alert, expr, facts, shownIn(annotations.summary));
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr, legendFormat } of targets) mustBeExported(title, expr, facts, shownIn(legendFormat));
  }
});

/** What is logged as an error without one, by the name of its event. */
function eventsLogged(): Set<string> {
  const folder = fileURLToPath(new URL('../../../src/', import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const events = files.flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/\.error\(\s*'(\w+)'/g)]);
  return new Set(events.map(([, event = '']) => event));
}

test('errors that alerts watch are there as 0 from the start, no others are, and all of them can come', async (t) => {
  const watched = rules.flatMap(({ expr }) =>
    [...expr.matchAll(/skein_errors_total\{type=~"([^"]+)"\}/g)].flatMap(([, types = '']) => types.split('|')),
  );
  const { text } = await measuresOfNode(t.folder());
  const shown = [...text.matchAll(/^skein_errors_total\{type="([^"]+)"\} 0$/gm)].map(([, type = '']) => type);
  assert.equal([...new Set(watched)].sort(), shown.sort());
  const events = eventsLogged();
  for (const type of watched) assert.ok(type in ERRORS || type in globalThis || events.has(type), `nobody logs ${type}`);
});

test('what never happened is told as well as what happened long ago', () => {
  const since = rules.flatMap(({ expr }) => [...expr.matchAll(/time\(\) - (skein_\w+)/g)].map(([, name = '']) => name));
  assert.ok(since.length >= 3);
  const missing = since.filter((name) => !rules.some(({ expr }) => expr.includes(`unless on (job, instance) ${name}`)));
  assert.equal(missing, ['skein_backup_last_timestamp_seconds'], 'of which skein_backup_fulls says that there is none');
  assert.ok(rules.some(({ expr }) => expr === 'skein_backup_fulls == 0'));
});

test('probes are no requests of users, whose share of failures rules and objectives ask for', () => {
  const production = readFileSync(fileURLToPath(new URL('../../../docs/PRODUCTION.md', import.meta.url)), 'utf8');
  const asked = [...rules.map(({ expr }) => expr), production].flatMap((text) => [
    ...text.matchAll(/skein_http_requests_total\S*?\[/g),
  ]);
  assert.ok(asked.length >= 4);
  for (const [selected] of asked) assert.match(selected, 'route!~"/health.*"');
});

test('every alert has a time, a severity, a summary, and a runbook that is there', () => {
  const operations = readFileSync(fileURLToPath(new URL('../../../docs/OPERATIONS.md', import.meta.url)), 'utf8');
  const anchors = [...operations.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
  assert.ok(rules.length >= 25);
  assert.is(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, for: time, labels, annotations } of rules) {
    assert.match(alert, /^Skein[A-Z]\w+$/);
    assert.match(time, /^\d+[mh]$/, alert);
    assert.ok(['critical', 'warning'].includes(labels.severity), alert);
    assert.ok(annotations.summary !== '' && annotations.description.endsWith('.'), alert);
    const [page, anchor = ''] = annotations.runbook_url.split('#');
    assert.is(page, 'docs/OPERATIONS.md', alert);
    assert.ok(anchors.includes(anchor), `${alert}: docs/OPERATIONS.md has no section #${anchor}`);
  }
});

test('Prometheus scrapes where the server answers, and loads the rules beside it', () => {
  const config = parse(deployText('prometheus/prometheus.yml')) as {
    rule_files: string[];
    scrape_configs: { job_name: string; metrics_path: string; static_configs: { targets: string[] }[] }[];
  };
  assert.equal(config.rule_files, ['alerts.yml']);
  const [job] = config.scrape_configs;
  assert.is(job?.job_name, 'skein');
  assert.is(job?.metrics_path, '/metrics');
  for (const target of job?.static_configs[0]?.targets ?? []) assert.match(target, /^[\w.-]+:7171$/);
});

test('on Kubernetes the pods are found by what they carry, and asked with a key', () => {
  const { scrape_configs: jobs } = parse(deployText('prometheus/kubernetes-job.yml')) as {
    scrape_configs: {
      job_name: string;
      authorization: { credentials_file: string };
      kubernetes_sd_configs: { namespaces: { names: string[] } }[];
      relabel_configs: { regex?: string }[];
    }[];
  };
  const [job] = jobs;
  const manifest = deployText('kubernetes/skein.yaml');
  const [app, port] = job?.relabel_configs[0]?.regex?.split(';') ?? [];
  assert.ok(manifest.includes(`labels: { app: ${app} }`) && manifest.includes(`{ name: ${port}, containerPort: 7171 }`));
  for (const name of job?.kubernetes_sd_configs[0]?.namespaces.names ?? []) assert.match(manifest, `-n ${name} apply`);
  assert.ok(job?.authorization.credentials_file);
  const down = rules.find(({ alert }) => alert === 'SkeinDown')?.expr ?? '';
  const [, jobsKnown = ''] = /job=~"([^"]+)"/.exec(down) ?? [];
  for (const name of [job?.job_name ?? '', 'skein-eu'])
    assert.match(name, new RegExp(`^(?:${jobsKnown})$`), 'another cluster is another job');
});

test('the dashboard can be imported: data source and nodes are variables, and no panel lies on another', () => {
  assert.equal(
    dashboard.templating.list.map(({ name }) => name),
    ['datasource', 'node'],
  );
  const titles = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  for (const wanted of ['Traffic', 'Search', 'Writes', 'Replication', 'Storage', 'Backups', 'Health', 'Process'])
    assert.ok(titles.includes(wanted), wanted);
  assert.is(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  const taken = new Set<string>();
  for (const { title, gridPos } of dashboard.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.not.ok(taken.has(`${x} ${y}`), `${title} lies on another panel`);
        taken.add(`${x} ${y}`);
      }
    }
  }
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr } of targets) assert.match(expr, '$node', title);
  }
});

test.run();
