/** How texts are to be read: what is taken, and what is refused by its name. */

import * as assert from 'uvu/assert';
import { PLAIN_TEXT, shownText, textSettings } from '../../../src/http/qdrant/text-settings.js';
import { DEFAULT_TEXT } from '../../../src/model/collection.js';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite } from '../../support/suite.js';

const test = suite('http/qdrant/text-settings');
const ENGLISH = { type: 'snowball', language: 'english' };

test('what changes no answer is taken', () => {
  const plain = { language: 'none', stopWords: [], wordLength: null };
  assert.equal(textSettings({}), plain);
  const all = { tokenizer: 'word', lowercase: true, ascii_folding: false, phrase_matching: true };
  assert.equal(textSettings({ ...all, min_token_len: 1, max_token_len: 128 }), plain);
  assert.equal(textSettings({ tokenizer: 'multilingual', min_token_len: 0, max_token_len: 1_000 }), plain);
});

test('stop words are a list, or those of the language of the stemmer', () => {
  assert.equal(textSettings({ stopwords: { custom: ['foo', 'bar'] } }), { ...PLAIN_TEXT, stopWords: ['foo', 'bar'] });
  assert.equal(textSettings({ stopwords: { languages: [], custom: null } }), PLAIN_TEXT);
  for (const stopwords of ['English', { languages: ['english'] }])
    assert.equal(textSettings({ stopwords, stemmer: ENGLISH }), { ...PLAIN_TEXT, language: 'english', stopWords: 'default' });
});

test('words of other lengths are passed over', () => {
  const lengths = (given: object) => textSettings({ tokenizer: 'word', ...given }).wordLength;
  assert.equal(lengths({ min_token_len: 2, max_token_len: 20 }), { min: 2, max: 20 });
  assert.equal(lengths({ min_token_len: 2 }), { min: 2, max: 128 });
  assert.equal(lengths({ max_token_len: 1 }), { min: 1, max: 1 });
});

test('what is shown declares the same again', () => {
  const cases: readonly Record<string, unknown>[] = [
    {},
    { min_token_len: 2, max_token_len: 20 },
    { stemmer: ENGLISH, stopwords: 'english' },
    { stemmer: ENGLISH, stopwords: { custom: ['foo'] }, max_token_len: 9 },
  ];
  for (const given of cases) {
    const { wordLength, ...read } = textSettings(given);
    const { type, ...shown } = shownText({ ...DEFAULT_TEXT, ...read, ...(wordLength && { wordLength }) }) as Record<
      string,
      unknown
    >;
    assert.equal([type, textSettings(shown)], ['text', { ...read, wordLength }]);
  }
});

test('what would find other points is refused by its name', () => {
  const cases: readonly [Record<string, unknown>, RegExp][] = [
    [{ min_token_len: 9, max_token_len: 8 }, /min_token_len: no word/],
    [{ min_token_len: 129 }, /min_token_len: no word/],
    [{ max_token_len: 0 }, /min_token_len: no word/],
    [{ min_token_len: '2' }, /min_token_len: must be an integer/],
    [{ max_token_len: 2.5 }, /max_token_len: must be an integer/],
    [{ lowercase: false }, /lowercase: /],
    [{ phrase_matching: 1 }, /phrase_matching: must be true or false/],
    [{ ascii_folding: true }, /ascii_folding: /],
    [{ tokenizer: 'prefix' }, /tokenizer: /],
    [{ stemmer: { type: 'snowball', language: 'klingon' } }, /stemmer: /],
    [{ stopwords: 'english' }, /stopwords: .*goes with its stemmer/],
    [{ stopwords: { languages: ['english'], custom: ['foo'] }, stemmer: ENGLISH }, /stopwords: .*alone/],
    [{ stopwords: 7 }, /stopwords: must be/],
    [{ stopwords: { custom: [''] } }, /stopwords: has a word/],
    [{ other: 1 }, /other: unknown field/],
  ];
  for (const [given, message] of cases) assert.throws(() => textSettings(given), message);
});

test('the first text field says how all are read, alone also anew; another one says the same or nothing', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask } = await startHttp(t, { engine });
  await ask('PUT', '/collections/c', { vectors: { size: 1, distance: 'Dot' } });
  const points = ['Foxes and dens', 'a fox', 'and'].map((note, id) => ({ id, vector: [id], payload: { note, more: 'foxes' } }));
  await ask('PUT', '/collections/c/points?wait=true', { points });
  const index = async (field_name: string, field_schema: unknown): Promise<number> =>
    (await ask('PUT', '/collections/c/index?wait=true', { field_name, field_schema })).status;
  const found = async (text: string) => {
    const { body } = await ask('POST', '/collections/c/points/scroll', { filter: { must: [{ key: 'note', match: { text } }] } });
    return body.result?.points.map(({ id }: { id: number }) => id) ?? body.status.error;
  };
  const counts = async (): Promise<unknown> => {
    const schema = (await ask('GET', '/collections/c')).body.result.payload_schema as Record<string, { points: number }>;
    return Object.fromEntries(Object.entries(schema).map(([field, { points: count }]) => [field, count]));
  };
  assert.is(await index('note', { type: 'text', lowercase: true }), 200);
  assert.equal([await found('foxes'), await found('and')], [[0], [0, 2]]);
  assert.equal(await counts(), { note: 3 });
  assert.is(await index('note', { type: 'text', min_token_len: 4, max_token_len: 10 }), 200);
  assert.equal([await found('foxes and'), await found('dens')], [[0], [0]]);
  assert.equal(await counts(), { note: 1 }, 'two have short words alone');
  assert.is(await index('more', { type: 'text', min_token_len: 2, max_token_len: 10 }), 400);
  assert.is(await index('note', { type: 'text', stemmer: ENGLISH, stopwords: 'english' }), 200);
  assert.equal(await found('foxes'), [0, 1]);
  assert.match(await found('and'), /what is passed over says nothing/);
  assert.equal(await counts(), { note: 2 }, 'one has stop words alone');
  assert.is(await index('more', { type: 'text', stemmer: { type: 'snowball', language: 'german' } }), 400);
  assert.is(await index('more', { type: 'text', stopwords: { custom: ['x'] } }), 400);
  assert.is(await index('more', { type: 'text', stemmer: ENGLISH }), 200);
  assert.is(await index('more', 'text'), 200);
  assert.equal(await counts(), { note: 3, more: 3 });
});

test.run();
