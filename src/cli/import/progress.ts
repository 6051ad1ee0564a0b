/** What an import shows while it runs: a bar on a terminal, a line now and then elsewhere. Refused records are named above the bar. */

import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { counted, grouped, rateOf } from '../numbers.js';
import { print, type TextStream } from '../surroundings.js';

export interface ProgressView {
  update(share: number, points: number): void;
  /** A line that stays. */
  note(line: string): void;
  /** May be called twice. */
  end(): void;
}

export const SILENT_VIEW: ProgressView = { update: () => undefined, note: () => undefined, end: () => undefined };

const LINE_EVERY_MS = 5_000;
const BAR_STEPS = 1_000;

/** @param name of the file, for the lines */
export function progressView(stream: TextStream, name: string, nowMs: () => number): ProgressView {
  return stream.isTTY === true ? barView(stream, nowMs) : lineView(stream, name, nowMs);
}

function barView(terminal: TextStream, nowMs: () => number): ProgressView {
  // What says that it is a terminal is one: Node's own stream.
  const stream = terminal as NodeJS.WriteStream;
  const startMs = nowMs();
  const format = ' {bar} {percentage} % · {points} points · {rate}/s';
  const bars = new MultiBar(
    { format, stream, clearOnComplete: true, hideCursor: true, gracefulExit: false, fps: 8 },
    Presets.shades_classic,
  );
  let ended = false;
  const bar: SingleBar = bars.create(BAR_STEPS, 0, { points: 0, rate: 0 });
  return {
    update(share, points) {
      bar.update(Math.min(BAR_STEPS, Math.floor(share * BAR_STEPS)), {
        points: grouped(points),
        rate: grouped(rateOf(points, nowMs() - startMs)),
      });
    },
    note: (line) => bars.log(`${line}\n`),
    end() {
      if (ended) return;
      ended = true;
      // Lines that wait are written by an update only.
      bars.update();
      bars.stop();
    },
  };
}

function lineView(stream: TextStream, name: string, nowMs: () => number): ProgressView {
  const startMs = nowMs();
  let lastMs = startMs;
  return {
    update(share, points) {
      if (nowMs() - lastMs < LINE_EVERY_MS) return;
      lastMs = nowMs();
      const rate = grouped(rateOf(points, lastMs - startMs));
      print(stream, `${name}: ${Math.floor(share * 100)} %, ${counted(points, 'point')}, ${rate}/s`);
    },
    note: (line) => print(stream, line),
    end: () => undefined,
  };
}
