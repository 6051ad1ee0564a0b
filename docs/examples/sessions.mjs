/** Two programs, two nodes, one order of things: what the first has written the second one sees, wherever it reads.
 *  The position that goes from one to the other is a short text; a web server would keep it in its user's session.
 *
 *  SKEIN_URL=http://a:7171 SKEIN_REPLICA_URL=http://b:7171 node docs/examples/sessions.mjs */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SkeinClient } from 'skein/client';

const url = process.env.SKEIN_URL ?? 'http://127.0.0.1:7171';
const replicaUrl = process.env.SKEIN_REPLICA_URL ?? url;
const [collection, position] = process.argv.slice(2);

if (collection === undefined) await write('example-sessions');
else await read(collection, position);

async function write(name) {
  const client = new SkeinClient({ url });
  await client.createCollection(name, { dimension: 1, distance: 'dot' });
  await client.upsert(name, [{ id: 'order-1', vector: [1], payload: { state: 'paid' } }]);
  console.log(`${process.pid} has written`);
  // Another process, which knows nothing but where to go on.
  const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), name, client.position], { encoding: 'utf8' });
  process.stdout.write(output);
  await client.deleteCollection(name);
  client.close();
}

async function read(name, from) {
  const client = new SkeinClient({ url: replicaUrl });
  // A session reads nothing older than where it begins. A node that is behind waits for it.
  const session = client.session(from);
  const { payload } = await session.get(name, 'order-1');
  console.log(`${process.pid} reads: ${payload?.state}`);
  client.close();
}
