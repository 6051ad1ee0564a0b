/** A restore drill: a real restore into a scratch folder, looked at by a process of its own, and removed again.
 *
 *    prepared (every sum, row and digest) ─► opened as a node would ─► digest and counts compared, recall measured ─► removed
 *
 *  Nothing of it touches what serves. Memory: the process loads the indexes once more. Must not know: when a drill is due. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { placeForLook } from '../engine/restored-store.js';
import type { PreparedRestore } from './restoring.js';

/** What the process found. */
export interface DrillFindings {
  readonly seq: number;
  readonly digest: string;
  readonly points: number;
  readonly recall: number | null;
  readonly problem: string | null;
}

const CHILD = fileURLToPath(new URL('./drill-child.js', import.meta.url));
/** A graph of which a sample finds less than this is not one to serve with. */
export const DRILL_RECALL_MIN = 0.8;
const OUTPUT_CHARS_MAX = 64 * 1024;

/** Looks at a restore that is prepared, and closes it; who prepared it removes it.
 *  @throws Error when no process can be started · the signal's reason */
export async function lookAt(restore: PreparedRestore, scratch: string, signal: AbortSignal): Promise<DrillFindings> {
  const { state } = await restore.finish(null);
  const bootId = randomBytes(16).toString('hex');
  placeForLook(scratch, restore.storePath, { bootId });
  const findings = await runChild(scratch, bootId, signal);
  return {
    ...findings,
    problem: findings.problem ?? differenceOf(findings, state.seq, Buffer.from(state.digest).toString('hex')),
  };
}

function differenceOf(found: DrillFindings, seq: number, digest: string): string | null {
  if (found.seq !== seq || found.digest !== digest) return `opened, it is at seq ${found.seq} with digest ${found.digest}`;
  if (found.recall !== null && found.recall < DRILL_RECALL_MIN) return `its indexes find ${found.recall} of what they should`;
  return null;
}

async function runChild(scratch: string, bootId: string, signal: AbortSignal): Promise<DrillFindings> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [CHILD, scratch, bootId], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop);
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-OUTPUT_CHARS_MAX);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-OUTPUT_CHARS_MAX);
  });
  try {
    const ending = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) => resolve(killedBy === null ? `exit code ${code}` : `signal ${killedBy}`));
    });
    signal.throwIfAborted();
    return readFindings(output) ?? died(ending, complaint);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function readFindings(output: string): DrillFindings | null {
  try {
    return JSON.parse(output) as DrillFindings;
  } catch {
    return null;
  }
}

function died(ending: string, complaint: string): DrillFindings {
  const said = complaint.split('\n').find((line) => /error/i.test(line)) ?? '';
  const problem = `the process that opened it ended with ${ending} before its report. ${said}`.trim();
  return { seq: 0, digest: '', points: 0, recall: null, problem };
}
