/** Nodes as `skein top` shows them: figures of two looks, as a table for people and as objects for programs. What is not known is a question mark for
 *  people and null for programs, never 0. Pure. */

import { grouped, roughBytes, roughMs } from '../numbers.js';
import { tableLines } from '../table.js';
import type { NodeLook } from './node-look.js';
import { quantileBetween, rateBetween, sampleSum } from './prometheus-text.js';

/** A look at a node, and the one before; null: there was none with figures. */
export interface TwoLooks {
  readonly now: NodeLook;
  readonly before: NodeLook | null;
}

export interface NodeFigures {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly reasons: readonly string[];
  readonly role: string | null;
  readonly seq: number | null;
  readonly position: string | null;
  readonly lagMs: number | null;
  readonly lagOperations: number | null;
  readonly points: number | null;
  readonly entriesPerSecond: number | null;
  readonly pointsWrittenPerSecond: number | null;
  readonly searchesPerSecond: number | null;
  readonly searchP99Ms: number | null;
  readonly memoryBytes: number | null;
  readonly connections: number | null;
}

export function figuresOf({ now, before }: TwoLooks): NodeFigures {
  const { name, url, state, reasons, replication, metrics } = now;
  const stats = replication?.stats ?? null;
  const none = {
    seq: null,
    points: null,
    entriesPerSecond: null,
    pointsWrittenPerSecond: null,
    searchesPerSecond: null,
    searchP99Ms: null,
    memoryBytes: null,
    connections: null,
  };
  const common = {
    ...{ name, url, state, reasons, role: replication?.role ?? null, position: stats?.position ?? null },
    ...{ lagMs: stats?.lagMs ?? null, lagOperations: stats?.lagOperations ?? null },
  };
  if (metrics === null) return { ...common, ...none };
  const earlier = before?.metrics ?? null;
  const elapsedMs = before === null ? 0 : now.atMs - before.atMs;
  const rate = (counter: string): number | null => rateBetween(earlier, metrics, counter, elapsedMs);
  const p99 = quantileBetween(earlier, metrics, 'skein_search_duration_seconds', 0.99);
  return {
    ...common,
    seq: sampleSum(metrics, 'skein_durable_seq'),
    points: sampleSum(metrics, 'skein_points'),
    entriesPerSecond: rate('skein_durable_seq'),
    pointsWrittenPerSecond: rate('skein_points_written_total'),
    searchesPerSecond: rate('skein_search_requests_total'),
    searchP99Ms: p99 === null ? null : p99 * 1_000,
    memoryBytes: sampleSum(metrics, 'skein_process_memory_bytes', { kind: 'rss' }),
    connections: sampleSum(metrics, 'skein_http_connections'),
  };
}

export function figureObject(figures: NodeFigures, at: string): object {
  return {
    ...{
      kind: 'node',
      at,
      name: figures.name,
      url: figures.url,
      state: figures.state,
      reasons: figures.reasons,
      role: figures.role,
    },
    ...{
      seq: figures.seq,
      position: figures.position,
      lag_ms: figures.lagMs,
      lag_operations: figures.lagOperations,
      points: figures.points,
    },
    entries_per_second: figures.entriesPerSecond,
    points_written_per_second: figures.pointsWrittenPerSecond,
    searches_per_second: figures.searchesPerSecond,
    search_p99_ms: figures.searchP99Ms,
    memory_bytes: figures.memoryBytes,
    connections: figures.connections,
  };
}

const COLUMNS = [
  { title: 'node' },
  { title: 'state' },
  { title: 'role' },
  { title: 'seq', right: true },
  { title: 'lag', right: true },
  { title: 'behind', right: true },
  { title: 'points', right: true },
  { title: 'entries/s', right: true },
  { title: 'written/s', right: true },
  { title: 'searches/s', right: true },
  { title: 'p99', right: true },
  { title: 'memory', right: true },
  { title: 'connections', right: true },
];

/** @param time of the look, for people */
export function topLines(all: readonly NodeFigures[], time: string): string[] {
  const rows = all.map((one) => [
    ...[one.name, one.state, one.role ?? '?', shown(one.seq, grouped)],
    ...[lagOf(one, one.lagMs, roughMs), lagOf(one, one.lagOperations, grouped), shown(one.points, grouped)],
    ...[
      shown(one.entriesPerSecond, rateText),
      shown(one.pointsWrittenPerSecond, rateText),
      shown(one.searchesPerSecond, rateText),
    ],
    ...[p99Of(one), shown(one.memoryBytes, roughBytes), shown(one.connections, grouped)],
  ]);
  const warnings = all.flatMap(({ name, reasons }) => reasons.map((reason) => `${name}: ${reason}`));
  const there = all.filter(({ state }) => state !== 'down').length;
  return [
    `skein top, ${time}: ${there} of ${all.length} nodes answer`,
    '',
    ...tableLines(COLUMNS, rows),
    ...(warnings.length === 0 ? [] : ['', ...warnings]),
  ];
}

/** A master with nobody behind it has none. */
function lagOf({ role }: NodeFigures, value: number | null, text: (value: number) => string): string {
  return role === 'master' && value === null ? '-' : shown(value, text);
}

/** Where nobody searched there is none. */
function p99Of({ searchesPerSecond, searchP99Ms }: NodeFigures): string {
  return searchP99Ms === null && searchesPerSecond !== null ? '-' : shown(searchP99Ms, roughMs);
}

function shown(value: number | null, text: (value: number) => string): string {
  return value === null ? '?' : text(value);
}

function rateText(perSecond: number): string {
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : grouped(Math.round(perSecond));
}
