/** `skein verify --url URL`: has the server compare data with its replicas, or a replica its own with its master.
 *  Exit code 0 when all are equal, 1 when any differed, repaired or not, or was not compared, or when there is none. */

import type { VERIFY_FIELDS } from '../config/command-fields.js';
import type { ValuesOf } from '../config/field.js';
import type { ReplicaVerification, Verification } from '../sdk/index.js';
import { counted } from './numbers.js';
import { connectTo } from './server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';

export async function verifyReplicas(
  values: ValuesOf<typeof VERIFY_FIELDS> & { readonly url: string },
  { output, stopping }: Surroundings,
): Promise<ExitCode> {
  const { replica, repair } = values;
  const client = connectTo(values);
  try {
    const which = replica === null ? {} : { replicaId: replica };
    const answer = await client.replication.verify({ ...which, repair }, { signal: stopping });
    for (const line of values.json ? jsonLines(answer) : textLines(answer, repair)) print(output, line);
    return answer.equal === true && answer.replicas.length > 0 ? EXIT.done : EXIT.failed;
  } finally {
    client.close();
  }
}

/** One object for each replica, then one for the whole. */
function jsonLines({ equal, position, replicas }: Verification): string[] {
  const each = replicas.map((one) => ({ kind: 'replica', ...one }));
  return [...each, { kind: 'comparison', equal, position, replicas: replicas.length }].map((object) => JSON.stringify(object));
}

function textLines({ equal, replicas }: Verification, repair: boolean): string[] {
  if (replicas.length === 0) return ['no replicas to compare'];
  const lines = replicas.flatMap(replicaLines);
  if (equal === true) return [...lines, `equal: ${counted(replicas.length, 'replica')}`];
  if (equal === null) return [...lines, 'NOT ALL COMPARED: none differed of those that were'];
  return [
    ...lines,
    repair ? 'DIFFERENT: what could be fetched again was; verify once more' : 'DIFFERENT: --repair fetches it again',
  ];
}

function replicaLines({ id, equal, differing, repaired, error }: ReplicaVerification): string[] {
  if (error !== undefined) return [`not compared  ${id}: ${error.message}`];
  if (equal) return [`equal      ${id}`];
  const again = repaired === 0 ? '' : `, ${counted(repaired, 'point')} fetched again`;
  return [
    `different  ${id}${again}`,
    ...differing.map(({ collection, buckets, points }) => {
      const some = points.length === 0 ? '' : `: ${points.map((point) => JSON.stringify(point)).join(', ')}`;
      return `  ${collection}: ${counted(buckets.length, 'bucket')}${some}`;
    }),
  ];
}
