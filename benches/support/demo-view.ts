/** What the demo shows: on a terminal a table that is drawn again in its place, elsewhere a line.
 *  Must not know: where the figures come from. */

export interface NodeRow {
  readonly name: string;
  readonly role: string;
  readonly status: string;
  readonly seq: number | null;
  readonly points: number | null;
  readonly lagMs: number | null;
  readonly pending: number | null;
  /** By how many points a second it grew lately. */
  readonly perSecond: number | null;
  readonly digest: string;
}

export interface Frame {
  readonly phases: readonly string[];
  /** Place of the phase that goes on. */
  readonly phase: number;
  readonly seconds: number;
  readonly rows: readonly NodeRow[];
}

const COLUMNS = ['node', 'role', 'status', 'position', 'points', 'points/s', 'pending', 'lag ms', 'digest'];
const WIDTHS = [10, 8, 13, 9, 9, 9, 8, 8, 12];
/** From here on columns are numbers, up to the digest. */
const FIRST_NUMBER = 3;
const DIGEST_LETTERS = 12;
const UNKNOWN = '–';
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_BELOW = '\x1b[J';

export class DemoView {
  readonly #output: NodeJS.WriteStream;
  #drawn = 0;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
    if (this.live) output.write(HIDE_CURSOR);
  }

  /** Is it a terminal? */
  get live(): boolean {
    return this.#output.isTTY === true;
  }

  show(frame: Frame): void {
    if (!this.live) {
      this.#output.write(`${lineOf(frame)}\n`);
      return;
    }
    const lines = tableOf(frame);
    const back = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\r`;
    this.#output.write(`${back}${CLEAR_BELOW}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** A sentence that stays, below the table as it was last drawn. */
  say(text: string): void {
    this.#output.write(`${text}\n`);
    this.#drawn = 0;
  }

  close(): void {
    if (this.live) this.#output.write(SHOW_CURSOR);
  }
}

function tableOf(frame: Frame): string[] {
  return ['', barOf(frame), '', rowText(COLUMNS), ...frame.rows.map((row) => rowText(cellsOf(row))), ''];
}

function barOf({ phases, phase, seconds }: Frame): string {
  const steps = phases.map((name, place) => `${place < phase ? '■' : place === phase ? '▶' : '□'} ${name}`);
  return `${steps.join('  ')}  ${seconds.toFixed(0)} s`;
}

function cellsOf({ name, role, status, digest, ...row }: NodeRow): string[] {
  const numbers = [row.seq, row.points, row.perSecond, row.pending, row.lagMs].map((value) =>
    value === null ? UNKNOWN : String(Math.round(value)),
  );
  return [name, role, status, ...numbers, digest.slice(0, DIGEST_LETTERS) || UNKNOWN];
}

function rowText(cells: readonly string[]): string {
  return cells
    .map((cell, place) => {
      const width = WIDTHS[place] ?? 0;
      return place < FIRST_NUMBER || place === cells.length - 1 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join('  ')
    .trimEnd();
}

function lineOf({ phases, phase, seconds, rows }: Frame): string {
  const nodes = rows.map((row) => {
    const [name, , status, seq, points, rate, , lag, digest] = cellsOf(row);
    return `${name}: ${status}, position ${seq}, ${points} points, ${rate}/s, lag ${lag} ms, ${digest}`;
  });
  return [`${seconds.toFixed(0).padStart(3)} s  ${phases[phase]}`, ...nodes].join(' | ');
}
