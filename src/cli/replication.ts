/** `skein promote`, `skein follow`, `skein resync`: what operators make a node do. Exit code 0 when it did, 1 when it could not. */

import type { FOLLOW_FIELDS, PROMOTE_FIELDS, RESYNC_FIELDS } from '../config/command-fields.js';
import type { ValuesOf } from '../config/field.js';
import { NODE_URL_EXAMPLE, readNodeUrl } from '../model/node-url.js';
import type { SkeinClient } from '../sdk/index.js';
import { UsageError } from './failure.js';
import { grouped } from './numbers.js';
import { type ConnectionValues, connectTo } from './server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';

/** What a command says: one object for programs, lines for people. */
interface Outcome {
  readonly object: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

export function promote(values: ValuesOf<typeof PROMOTE_FIELDS>, surroundings: Surroundings): Promise<ExitCode> {
  return run(values, surroundings, async ({ replication }, signal) => {
    const { epoch, historyId, position, maybeLost } = await replication.promote({ force: values.force }, { signal });
    const lost =
      maybeLost === null ? null : { from_seq: maybeLost.fromSeq, to_seq: maybeLost.toSeq, known_seq: maybeLost.knownSeq };
    const lines = [`${values.url} is the master now: epoch ${epoch}, history ${historyId.slice(0, 8)}`];
    if (maybeLost !== null) {
      const known = maybeLost.knownSeq === null ? '' : ` (it was known to be at ${grouped(maybeLost.knownSeq)})`;
      const to = maybeLost.toSeq === null ? `on, as far as the old master had come${known}` : `to ${grouped(maybeLost.toSeq)}`;
      lines.push(`may be lost: what the old master alone had, from seq ${grouped(maybeLost.fromSeq)} ${to}`);
    }
    return { object: { kind: 'promotion', epoch, history_id: historyId, position, maybe_lost: lost }, lines };
  });
}

/** @throws UsageError when the address is none of a node */
export function follow(masterUrl: string, values: ValuesOf<typeof FOLLOW_FIELDS>, surroundings: Surroundings): Promise<ExitCode> {
  if (readNodeUrl(masterUrl) === null)
    throw new UsageError(`${JSON.stringify(masterUrl)} is no address of a node such as ${NODE_URL_EXAMPLE}`);
  return run(values, surroundings, async ({ replication }, signal) => {
    const { role, masterUrl: followed } = await replication.follow(masterUrl, { signal });
    return {
      object: { kind: 'follow', role, master_url: followed },
      lines: [`${values.url} follows ${followed} now; "skein status --url ${values.url}" shows how far it is`],
    };
  });
}

export function resync(values: ValuesOf<typeof RESYNC_FIELDS>, surroundings: Surroundings): Promise<ExitCode> {
  const { replica, full } = values;
  return run(values, surroundings, async ({ replication }, signal) => {
    const which = replica === null ? {} : { replicaId: replica };
    const { mode } = await replication.resync({ ...which, full }, { signal });
    const how = mode === 'full' ? 'by a snapshot' : 'from the log';
    return {
      object: { kind: 'resync', started: true, mode, replica_id: replica },
      lines: [`the resync of ${replica ?? values.url} has started, ${how}; "skein status" shows how far it is`],
    };
  });
}

async function run(
  values: ConnectionValues & { readonly json: boolean },
  { output, stopping }: Surroundings,
  action: (client: SkeinClient, signal: AbortSignal) => Promise<Outcome>,
): Promise<ExitCode> {
  const client = connectTo(values);
  try {
    const { object, lines } = await action(client, stopping);
    for (const line of values.json ? [JSON.stringify(object)] : lines) print(output, line);
    return EXIT.done;
  } finally {
    client.close();
  }
}
