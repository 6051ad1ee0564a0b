/** `skein top`: nodes at a glance, again and again: role, lag, throughput, searches and their p99, memory, connections, warnings.
 *
 *    look at all ─► draw ─► wait ─► look at all ─► …        --once: two looks, so that there are rates, and the second is shown
 *
 *  A node that is down is shown as such. Exit code 0 when it is ended by hand; with --once 1 when a node did not answer. */

import { setTimeout as delay } from 'node:timers/promises';
import type { TopValues } from '../../config/look-command-fields.js';
import { namedServers } from '../named-servers.js';
import { connectTo } from '../server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from '../surroundings.js';
import { type LookedAt, lookAt, type NodeLook } from './node-look.js';
import { screenOn } from './screen.js';
import { figureObject, figuresOf, topLines } from './top-view.js';

/** @param servers addresses, with NAME= before them where they have names  @throws UsageError */
export async function top(servers: readonly string[], values: TopValues, surroundings: Surroundings): Promise<ExitCode> {
  const named = namedServers('top', servers.length === 0 ? [values.url] : servers);
  const nodes = named.map(
    ({ name, url }): LookedAt => ({ name, url, client: connectTo({ ...values, url }, { retries: false, session: false }) }),
  );
  try {
    return await (values.once ? once(nodes, values, surroundings) : live(nodes, values, surroundings));
  } finally {
    for (const { client } of nodes) client.close();
  }
}

async function once(nodes: readonly LookedAt[], values: TopValues, surroundings: Surroundings): Promise<ExitCode> {
  const { stopping } = surroundings;
  const before = await lookAtAll(nodes, values, stopping);
  await delay(values.interval, undefined, { signal: stopping }).catch(() => stopping.throwIfAborted());
  const now = await lookAtAll(nodes, values, stopping);
  show(now, before, values, surroundings, (lines) => {
    for (const line of lines) print(surroundings.output, line);
  });
  return now.every(({ state }) => state !== 'down') ? EXIT.done : EXIT.failed;
}

async function live(nodes: readonly LookedAt[], values: TopValues, surroundings: Surroundings): Promise<ExitCode> {
  const { stopping, output } = surroundings;
  const screen = screenOn(output);
  let before: readonly NodeLook[] = [];
  try {
    while (!stopping.aborted) {
      const now = await lookAtAll(nodes, values, stopping);
      show(now, before, values, surroundings, (lines) => screen.draw(lines));
      before = now.map((look, i) => (look.metrics === null ? (before[i] ?? look) : look));
      await delay(values.interval, undefined, { signal: stopping });
    }
  } catch (error) {
    // Being told to end is how it ends.
    if (!stopping.aborted) throw error;
  } finally {
    screen.end();
  }
  return EXIT.done;
}

function lookAtAll(nodes: readonly LookedAt[], { timeoutMs }: TopValues, signal: AbortSignal): Promise<readonly NodeLook[]> {
  return Promise.all(nodes.map((node) => lookAt(node, timeoutMs, signal)));
}

function show(
  looks: readonly NodeLook[],
  before: readonly NodeLook[],
  { json }: TopValues,
  { output }: Surroundings,
  draw: (lines: readonly string[]) => void,
): void {
  const now = new Date().toISOString();
  const figures = looks.map((look, i) => figuresOf({ now: look, before: before[i] ?? null }));
  if (json) for (const one of figures) print(output, JSON.stringify(figureObject(one, now)));
  else draw(topLines(figures, now.slice(11, 19)));
}
