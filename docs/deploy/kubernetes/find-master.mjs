// Asks other nodes who the master is: prints its address, or nothing when none of them is there yet.
//
//   node find-master.mjs http://skein-1.skein-nodes:7171 http://skein-2.skein-nodes:7171
//
// Ends with 1 when a node is there and no master can be named: whoever asks must not begin a cluster of its own beside it. A name that
// cannot be resolved, or a port where nobody listens, is a node that is not there. The key is the one in the file SKEIN_API_KEY_FILE.

import { readFileSync } from 'node:fs';

const ASK_MS = 5_000;
const ABSENT = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH']);

const keyFile = process.env.SKEIN_API_KEY_FILE;
const headers = keyFile === undefined ? {} : { 'api-key': readFileSync(keyFile, 'utf8').split('\n')[0].trim() };

/** The master that the node at `url` knows: its own address when it is one itself; null when it is not there. Throws when it says neither. */
async function masterKnownTo(url) {
  let answer;
  try {
    answer = await fetch(`${url}/replication/status`, { headers, signal: AbortSignal.timeout(ASK_MS) });
  } catch (error) {
    if (ABSENT.has(error.cause?.code)) return null;
    throw new Error(`${url} is there and does not answer: ${error.cause?.code ?? error.name}`);
  }
  const status = await answer.json();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status} ${status.error?.type}`);
  if (status.role === 'master') return url;
  if (typeof status.master_url === 'string') return status.master_url;
  throw new Error(`${url} is a replica and knows no master`);
}

const answers = await Promise.allSettled(process.argv.slice(2).map(masterKnownTo));
const named = answers.map(({ value }) => value).filter((value) => typeof value === 'string');
const failures = answers.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.message);
if (named.length > 0) console.log(named[0]);
else if (failures.length > 0) {
  for (const failure of failures) console.error(failure);
  process.exitCode = 1;
}
