/** Prints results as tables and writes them, with the machine they were measured on, to benches/results/<name>.json. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nativeBuild } from '../../src/vector-index/open-index.js';
import { type BenchResult, type Bound, type Cell, type Figure, holds, scale, type Table } from './bench.js';

/** Seen from dist/benches/support/. */
export const PROJECT_FOLDER = fileURLToPath(new URL('../../../', import.meta.url));
const RESULTS_FOLDER = join(PROJECT_FOLDER, 'benches', 'results');
const GIB = 2 ** 30;

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  readonly nativeBuild: string;
  readonly commit: string;
  readonly date: string;
}

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGib: Math.round(totalmem() / GIB),
    node: process.version,
    nativeBuild: nativeBuild(),
    commit: commit(),
    date: new Date().toISOString(),
  };
}

/** The commit, marked when files differ from it; unknown outside a checkout. */
function commit(): string {
  try {
    const git = (...words: string[]): string => execFileSync('git', words, { cwd: PROJECT_FOLDER, encoding: 'utf8' }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', 'src') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

export function writeResult(name: string, result: BenchResult): string {
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  const path = join(RESULTS_FOLDER, `${name}.json`);
  writeFileSync(path, `${JSON.stringify({ name, scale, machine: describeMachine(), ...result }, null, 2)}\n`);
  return path;
}

/** Three significant digits, and no more than a number needs. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 1000 && Number.isInteger(value)) return String(value);
  if (size < 0.001) return value.toExponential(1);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3);
}

export function printTable({ title, columns, rows }: Table): void {
  const cells = [columns, ...rows.map((row) => row.map(cellText))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[], source: readonly Cell[]): string =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return typeof source[column] === 'number' ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  console.log(`\n${title}`);
  console.log(`  ${line(columns, columns)}`);
  for (const row of rows) console.log(`  ${line(row.map(cellText), row)}`);
}

function cellText(cell: Cell): string {
  return typeof cell === 'number' ? shortNumber(cell) : cell;
}

export function printResult(result: BenchResult): void {
  for (const table of result.tables) printTable(table);
  for (const note of result.notes) console.log(`  ${note}`);
}

/** One line per figure: name, value, bound, whether it holds, the command that prints it. */
export function figureTable(title: string, figures: readonly { readonly bench: string; readonly figure: Figure }[]): Table {
  const rows = figures.map(({ bench, figure }) => [
    figure.name,
    `${shortNumber(figure.value)}${figure.unit === '' ? '' : ` ${figure.unit}`}`,
    boundText(figure.bound),
    figure.bound === undefined ? '' : holds(figure) ? 'yes' : 'NO',
    `npm run bench -- ${bench}`,
  ]);
  return { title, columns: ['figure', 'value', 'bound', 'holds', 'command'], rows };
}

function boundText(bound: Bound | undefined): string {
  return bound === undefined ? '' : `${bound.kind === 'at least' ? '≥' : '≤'} ${shortNumber(bound.value)}`;
}
