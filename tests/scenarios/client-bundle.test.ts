/** The client's one file for browsers: small, without anything of Node, and what package.json gives to who bundles for browsers. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import * as assert from 'uvu/assert';
import type * as Client from '../../src/sdk/browser.js';
import { stubServer } from '../sdk/stub-server.js';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('scenarios/client-bundle');
const FILE = join(projectFolder, 'dist', 'bundle', 'client', 'skein-client.js');
const BYTES_MAX = 100 * 1024;
const WATCHED = { bundle: true, write: false, format: 'esm', metafile: true } as const;

test('it is small, imports nothing, and has no schema in it', async () => {
  const text = readFileSync(FILE, 'utf8');
  assert.ok(text.length < BYTES_MAX, `${text.length} bytes`);
  // Whatever it imported would be asked for here, and refused.
  const { metafile } = await build({ ...WATCHED, entryPoints: [FILE], platform: 'browser' });
  assert.equal(
    Object.values(metafile.inputs).flatMap(({ imports }) => imports),
    [],
  );
  assert.not(/typebox|additionalProperties/i.test(text));
});

test('it speaks MessagePack with binary vectors where it runs', async (t) => {
  const { FetchTransport, SkeinClient, errors } = (await import(FILE)) as typeof Client;
  const stub = await stubServer(t, () => ({
    status: 404,
    body: { error: { type: 'CollectionNotFound', message: 'm', details: {} } },
  }));
  const client = new SkeinClient({ url: stub.url, transport: new FetchTransport() });
  t.after(() => client.close());
  const error: unknown = await client.search('c', { vector: new Float32Array([1, 2]) }).catch((thrown: unknown) => thrown);
  assert.instance(error, errors.CollectionNotFound);
  const asked = stub.received[0]?.body as { vector: Uint8Array } | undefined;
  assert.is(asked?.vector.length, 8);
});

test('who bundles a program for browsers gets it by its name; for Node, the client of Node', async () => {
  const bundled = async (platform: 'browser' | 'node'): Promise<string[]> => {
    const stdin = { contents: "export { SkeinClient } from 'skein/client';", resolveDir: projectFolder };
    const { metafile } = await build({ ...WATCHED, stdin, platform });
    return Object.keys(metafile.inputs);
  };
  assert.equal((await bundled('browser')).sort(), ['<stdin>', 'dist/bundle/client/skein-client.js']);
  const forNode = await bundled('node');
  assert.ok(forNode.includes('dist/src/sdk/http-transport.js') && !forNode.includes('dist/src/sdk/default-transport-browser.js'));
});

test.run();
