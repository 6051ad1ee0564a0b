/** LangChain's vector store for Qdrant, unmodified, over this server, with embeddings that need no model. */

import { Embeddings } from '@langchain/core/embeddings';
import { QdrantVectorStore } from '@langchain/qdrant';
import * as assert from 'uvu/assert';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite } from '../../support/suite.js';

const test = suite('http/qdrant/langchain');

/** A text is as near to another as their counts of letters are. */
class LetterCounts extends Embeddings {
  constructor() {
    super({});
  }

  override embedDocuments(texts: string[]): Promise<number[][]> {
    return Promise.all(texts.map((text) => this.embedQuery(text)));
  }

  override embedQuery(text: string): Promise<number[]> {
    const counts = Array.from({ length: 26 }, () => 0.01);
    for (const letter of text.toLowerCase()) {
      const at = letter.charCodeAt(0) - 97;
      if (at >= 0 && at < 26) counts[at] = (counts[at] ?? 0) + 1;
    }
    return Promise.resolve(counts);
  }
}

test('documents of a collection that is there are deleted', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { url, ask } = await startHttp(t, { engine });
  await ask('PUT', '/v1/collections/c', { dimension: 26, distance: 'cosine' });
  const points = [1, 2].map((id) => ({ id, vector: Array.from({ length: 26 }, () => id) }));
  assert.is((await ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  const store = await QdrantVectorStore.fromExistingCollection(new LetterCounts(), { url, collectionName: 'c' });
  await store.delete({ filter: { must: [{ has_id: [1] }] } });
  assert.is((await ask('GET', '/v1/collections/c')).body.points_count, 1);
});

test('documents are added to a collection that it makes, and found by likeness, filters, scores, and diversity', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { url } = await startHttp(t, { engine });
  const documents = [
    { pageContent: 'banana bread', metadata: { kind: 'cake', source: { page: 1 } } },
    { pageContent: 'banana cake', metadata: { kind: 'cake', source: { page: 2 } } },
    { pageContent: 'bandana', metadata: { kind: 'cloth', source: { page: 3 } } },
    { pageContent: 'zebra crossing', metadata: { kind: 'street', source: { page: 4 } } },
  ];
  const store = await QdrantVectorStore.fromDocuments(documents, new LetterCounts(), { url, collectionName: 'made' });
  const texts = (found: readonly { pageContent: string }[]): string[] => found.map(({ pageContent }) => pageContent);
  assert.equal(texts(await store.similaritySearch('bananas', 1)), ['bandana']);
  const filter = { must: [{ key: 'metadata.kind', match: { value: 'cake' } }] };
  assert.equal(texts(await store.similaritySearch('bandana', 5, filter)).sort(), ['banana bread', 'banana cake']);
  const deep = { must: [{ key: 'metadata.source.page', range: { gte: 3 } }] };
  assert.equal(texts(await store.similaritySearch('zebra', 5, deep)), ['zebra crossing', 'bandana']);
  const scored = await store.similaritySearchWithScore('zebra crossing', 2);
  assert.is(scored[0]?.[0].pageContent, 'zebra crossing');
  assert.ok(Math.abs((scored[0]?.[1] ?? 0) - 1) < 1e-6);
  const diverse = await store.maxMarginalRelevanceSearch('banana', { k: 2, fetchK: 4, lambda: 0.1 });
  assert.is(diverse.length, 2);
  assert.equal(diverse[0]?.metadata['kind'], 'cloth');
  await store.delete({ filter: { must: [{ key: 'metadata.kind', match: { value: 'street' } }] } });
  assert.is((await store.similaritySearch('zebra', 5)).length, 3);
});

test.run();
