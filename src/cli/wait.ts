/** `skein wait`: asks servers until all can serve, and says what each of them does meanwhile, once when it changes.
 *
 *    unreachable ─► starting ─► healthy | degraded        unhealthy, stopping: asked on
 *  Ends at once when all are there (exit code 0), or when the time is over (1), naming who is not and why.
 *  Must not know: how servers are started. */

import { setTimeout as delay } from 'node:timers/promises';
import type { WAIT_FIELDS } from '../config/command-fields.js';
import type { ValuesOf } from '../config/field.js';
import { messageOf } from '../model/errors.js';
import { type SkeinClient, SkeinConnectionError } from '../sdk/index.js';
import { namedServers } from './named-servers.js';
import { connectTo } from './server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';

export type WaitValues = ValuesOf<typeof WAIT_FIELDS>;

type State = 'unreachable' | 'starting' | 'draining' | 'stopping' | 'unhealthy' | 'degraded' | 'healthy';

interface Look {
  readonly state: State;
  /** Why it is not healthy; empty when it is. */
  readonly message: string;
}

interface Waited {
  readonly name: string;
  readonly url: string;
  readonly client: SkeinClient;
  look: Look | null;
}

/** So long an answer is waited for, also at the end of the time: a server is not called unreachable for want of our patience. */
const ANSWER_MS_MIN = 1_000;

/** @param servers addresses, with NAME= before them where they have names  @throws UsageError */
export async function waitForServers(
  servers: readonly string[],
  values: WaitValues,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const named = namedServers('wait', servers.length === 0 ? [values.url] : servers);
  const waited = named.map(({ name, url }): Waited => {
    const client = connectTo({ ...values, url }, { retries: false });
    return { name, url, client, look: null };
  });
  try {
    return await poll(waited, values, surroundings);
  } finally {
    for (const { client } of waited) client.close();
  }
}

async function poll(waited: readonly Waited[], values: WaitValues, surroundings: Surroundings): Promise<ExitCode> {
  const { output, stopping } = surroundings;
  const startMs = performance.now();
  const leftMs = (): number => values.timeout - (performance.now() - startMs);
  for (;;) {
    // What is there already may be gone again by the time the last one is: all are asked.
    await Promise.all(
      waited.map((one) => ask(one, Math.min(values.timeoutMs, Math.max(ANSWER_MS_MIN, leftMs())), values, surroundings)),
    );
    const left = waited.filter(({ look }) => !isThere(look, values.healthy));
    if (left.length === 0) return end(waited, true, performance.now() - startMs, values, surroundings);
    if (leftMs() <= 0) {
      if (!values.json) print(output, `not there after ${Math.round(values.timeout / 1_000)} s: ${left.map(shown).join(', ')}`);
      return end(waited, false, performance.now() - startMs, values, surroundings);
    }
    await delay(Math.max(0, Math.min(values.interval, leftMs())), undefined, { signal: stopping }).catch(() =>
      stopping.throwIfAborted(),
    );
  }
}

function isThere(look: Look | null, healthyOnly: boolean): boolean {
  return look?.state === 'healthy' || (!healthyOnly && look?.state === 'degraded');
}

function shown({ name, url, look }: Waited): string {
  return `${name} (${url}) is ${look?.state ?? 'not asked'}${look === null || look.message === '' ? '' : `: ${look.message}`}`;
}

async function ask(one: Waited, timeoutMs: number, { json }: WaitValues, { output, stopping }: Surroundings): Promise<void> {
  const look = await lookAt(one.client, timeoutMs, stopping);
  const before = one.look;
  one.look = look;
  if (before?.state === look.state) return;
  if (json) {
    const { name, url } = one;
    print(
      output,
      JSON.stringify({ kind: 'state', name, url, from: before?.state ?? null, to: look.state, message: look.message }),
    );
    return;
  }
  const change = before === null ? look.state : `${before.state} → ${look.state}`;
  print(output, `${one.name}: ${change}${look.message === '' ? '' : ` (${look.message})`}`);
}

/** @throws the reason of the signal */
async function lookAt(client: SkeinClient, timeoutMs: number, signal: AbortSignal): Promise<Look> {
  try {
    const ready = await client.ready({ timeoutMs, signal });
    if (ready.status !== 'ready') return { state: ready.status, message: `${ready.step}: ${ready.message}` };
    const health = await client.health({ timeoutMs, signal });
    return { state: health.status, message: health.reasons.join('; ') };
  } catch (error) {
    if (signal.aborted) throw error;
    return { state: 'unreachable', message: error instanceof SkeinConnectionError ? error.code : messageOf(error) };
  }
}

function end(
  waited: readonly Waited[],
  there: boolean,
  tookMs: number,
  { json }: WaitValues,
  { output }: Surroundings,
): ExitCode {
  if (json) {
    const servers = waited.map(({ name, url, look }) => ({
      name,
      url,
      state: look?.state ?? null,
      message: look?.message ?? '',
    }));
    print(output, JSON.stringify({ kind: 'result', ready: there, waited_ms: Math.round(tookMs), servers }));
  }
  return there ? EXIT.done : EXIT.failed;
}
