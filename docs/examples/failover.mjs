/** Several nodes as one: the client finds the master, and goes on when another node takes over. Here an operator hands the mastership over in the
 *  middle; a node that dies is no different, but for the seconds until another one is promoted.
 *
 *  SKEIN_NODES=http://a:7171,http://b:7171 node docs/examples/failover.mjs */

import { SkeinClient } from 'skein/client';

const nodes = (process.env.SKEIN_NODES ?? 'http://127.0.0.1:7171,http://127.0.0.1:7172').split(',');
const client = new SkeinClient({
  nodes,
  // Whoever is near answers, if its state is at most a second old; whoever takes longer than most gets company.
  readPreference: 'fresh',
  maxStalenessMs: 1_000,
  hedge: { afterMs: 'p95' },
});
const counter = 'example-failover';
const show = () => console.log(client.nodes.map(({ url, role }) => `${nodes.indexOf(url)}: ${role}`).join(', '));

await client.createCollection(counter, { dimension: 1, distance: 'dot' });
show();
const before = client.nodes.find(({ role }) => role === 'master')?.url;
const other = nodes.find((url) => url !== before);

for (let id = 0; id < 40; id++) {
  await client.upsert(counter, [{ id, vector: [id] }]);
  if (id === 20 && other !== undefined) {
    const operator = new SkeinClient({ url: other });
    await operator.replication.promote();
    operator.close();
    console.log('another node is the master now');
  }
}
show();
// A client sees its own writes, on every node.
console.log(await client.count(counter), 'points, none lost, none twice');
await client.waitFor(client.position ?? '', { nodes: 'all' });
console.log('every node has them');
await client.deleteCollection(counter);
client.close();
