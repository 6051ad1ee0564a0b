// Asks the other nodes who is master, for a node with an empty volume.
//
//   node find-master.mjs [--wait] OWN_ADDRESS OTHER_ADDRESS…
//
// It prints the address of a master to follow. It prints nothing and ends with 0 when every other node answers that it is a replica without
// data: then there is no cluster yet, and one may begin. In all other cases it ends with 1: a node that does not answer, or whose name is not
// known, may have data, and a name that is missing proves nothing (its pod may come later, or the answer of the name server may be old).
// With --wait it asks again for a while first. The key is the one in the file SKEIN_API_KEY_FILE.

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const ASK_MS = 5_000;
const AGAIN_MS = 1_000;
/** Shorter than the liveness probe lets a pod be silent. */
const WAIT_MS = 20_000;

const keyFile = process.env.SKEIN_API_KEY_FILE;
const headers = keyFile === undefined ? {} : { 'api-key': readFileSync(keyFile, 'utf8').split('\n')[0].trim() };
const addresses = process.argv.slice(2).filter((word) => word !== '--wait');
const [own, ...others] = addresses;

/** @returns {Promise<{ master?: string, named?: string, empty?: true, unclear?: string }>} what the node at `url` says */
async function lookAt(url) {
  let answer;
  let status;
  try {
    answer = await fetch(`${url}/replication/status`, { headers, signal: AbortSignal.timeout(ASK_MS) });
    status = await answer.json();
  } catch (error) {
    return { unclear: `${url} does not answer: ${error.cause?.code ?? error.name}` };
  }
  if (!answer.ok || status?.stats === undefined) return { unclear: `${url} answers ${answer.status} ${status?.error?.type ?? ""}` };
  if (status.role === 'master') return { master: url };
  if (typeof status.master_url === 'string' && status.master_url !== own) return { named: status.master_url };
  if (status.stats === null) return { unclear: `${url} is starting` };
  if (status.stats.position === null && status.stats.history_id === null) return { empty: true };
  return { unclear: `${url} has data and knows no master but this node, which has none: promote it (skein promote)` };
}

async function look() {
  const answers = await Promise.all(others.map(lookAt));
  // What a node says of itself counts before what others say of it.
  const found = answers.find(({ master }) => master !== undefined)?.master ?? answers.find(({ named }) => named !== undefined)?.named;
  return { found, unclear: answers.flatMap(({ unclear }) => unclear ?? []) };
}

const endMs = performance.now() + (process.argv.includes('--wait') ? WAIT_MS : 0);
let { found, unclear } = await look();
while (found === undefined && unclear.length > 0 && performance.now() < endMs) {
  await delay(AGAIN_MS);
  ({ found, unclear } = await look());
}
if (found !== undefined) console.log(found);
else if (unclear.length > 0) {
  for (const line of unclear) console.error(line);
  process.exitCode = 1;
}
