/** Where looks are drawn: over each other on a terminal, one below the other elsewhere.
 *
 *  Invariant: after end() the terminal is as it was: its own screen, its cursor. Must not know: what is drawn. */

import { printable } from '../../model/printable.js';
import { print, type TextStream } from '../surroundings.js';

export interface Screen {
  draw(lines: readonly string[]): void;
  /** May be called twice. */
  end(): void;
}

const COLUMNS = 80;
const ROWS = 24;
const BEGIN = '\u001b[?1049h\u001b[?25l';
const END = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export function screenOn(stream: TextStream): Screen {
  return stream.isTTY === true ? terminal(stream) : roll(stream);
}

function terminal(stream: TextStream): Screen {
  let begun = false;
  return {
    draw(lines) {
      // What says that it is a terminal is one: Node's own stream.
      const { columns, rows } = stream as Partial<NodeJS.WriteStream>;
      // A terminal may not know its size, and says 0.
      const [width, height] = [columns || COLUMNS, rows || ROWS];
      const fitting = cutBelow(lines, height - 1).map((line) => `${cut(printable(line), width)}${CLEAR_LINE}`);
      stream.write(`${begun ? '' : BEGIN}${HOME}${fitting.join('\r\n')}${CLEAR_LINE}${CLEAR_BELOW}`);
      begun = true;
    },
    end() {
      if (begun) stream.write(END);
      begun = false;
    },
  };
}

function roll(stream: TextStream): Screen {
  let before = '';
  return {
    draw(lines) {
      stream.write(before);
      for (const line of lines) print(stream, printable(line));
      before = '\n';
    },
    end: () => undefined,
  };
}

/** The last line says that there are more. */
function cutBelow(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  return [...lines.slice(0, Math.max(0, rows - 1)), `… ${lines.length - Math.max(0, rows - 1)} more lines`];
}

function cut(line: string, columns: number): string {
  const characters = Array.from(line);
  return characters.length <= columns ? line : `${characters.slice(0, Math.max(0, columns - 1)).join('')}…`;
}
