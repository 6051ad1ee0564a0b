/** Heads come back as they were written, and one of something else is told from what was expected. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DEFAULT_TEXT } from '../../src/model/collection.js';
import {
  checkTextOwner,
  decodeTextHead,
  encodeTextHead,
  type StoredTextHead,
  storedHead,
} from '../../src/text-index/checkpoint-head.js';
import { SEGMENTER } from '../../src/text-index/words.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/checkpoint-head');

const number = fc.maxSafeNat();
const plain = { noNullPrototype: true };
const head: fc.Arbitrary<StoredTextHead> = fc.record(
  {
    format: fc.constant(1 as const),
    uid: number,
    labelGeneration: number,
    seq: number,
    nextLabel: number,
    settings: fc.record(
      {
        fields: fc.array(fc.string()),
        language: fc.string(),
        stopWords: fc.oneof(fc.constant('default' as const), fc.array(fc.string())),
        wordLength: fc.record({ min: fc.nat(), max: fc.nat() }, plain),
        k1: fc.double({ min: 0, max: 10, noNaN: true }).map((k1) => k1 + 0),
        b: fc.double({ min: 0, max: 1, noNaN: true }).map((b) => b + 0),
      },
      { ...plain, requiredKeys: ['fields', 'language', 'stopWords', 'k1', 'b'] },
    ),
    analysis: number,
    segmenter: fc.option(fc.string()),
    documents: number,
    terms: number,
  },
  plain,
);

test('a head comes back as it was written', () => {
  fc.assert(fc.property(head, (one) => assert.equal(decodeTextHead(encodeTextHead(one)), one)));
});

test('what is not a head of this format is refused', () => {
  const one = { format: 1 as const, uid: 3, labelGeneration: 1, seq: 9, nextLabel: 4, settings: DEFAULT_TEXT };
  const text = encodeTextHead(storedHead(one, false, { documents: 2, terms: 5 }));
  assert.is(
    text,
    '{"format":1,"kind":"text","uid":3,"label_generation":1,"seq":9,"next_label":4,"settings":{"fields":[],"language":"english",' +
      '"stop_words":"default","k1":1.2,"b":0.75},"analysis":2,"segmenter":null,"documents":2,"terms":5}',
  );
  const broken = [
    ...['', '{', 'null', '[]', '"text"', '{}', text.slice(0, -1), `${text} `, text.replace('"format":1', '"format":2')],
    ...[
      text.replace('"kind":"text"', '"kind":"graph"'),
      text.replace(',"seq":9', ''),
      text.replace('"uid":3', '"uid":3,"more":1'),
    ],
  ];
  for (const bad of broken)
    assert.throws(
      () => decodeTextHead(bad),
      (error: unknown) => error instanceof Error,
      bad,
    );
});

test('a checkpoint of another collection, label generation, analysis or reading of texts does not fit', () => {
  const settings = { ...DEFAULT_TEXT, fields: ['title'] };
  const expected = { uid: 3, labelGeneration: 1, settings };
  const fits = storedHead({ format: 1, seq: 9, nextLabel: 4, ...expected }, true, { documents: 2, terms: 5 });
  checkTextOwner(fits, expected);
  checkTextOwner({ ...fits, segmenter: null }, expected);
  checkTextOwner(fits, { ...expected, settings: { ...settings, k1: 2, b: 0.5 } });
  const others: readonly (readonly [what: string, head: Partial<StoredTextHead>])[] = [
    ['collection uid', { uid: 4 }],
    ['label generation', { labelGeneration: 2 }],
    ['fields', { settings: { ...settings, fields: ['text'] } }],
    ['language', { settings: { ...settings, language: 'german' } }],
    ['stop words', { settings: { ...settings, stopWords: [] } }],
    ['word lengths', { settings: { ...settings, wordLength: { min: 1, max: 2 } } }],
    ['analysis', { analysis: 0 }],
    ['segmenter', { segmenter: `${SEGMENTER}.1` }],
  ];
  for (const [what, other] of others) assert.throws(() => checkTextOwner({ ...fits, ...other }, expected), `it is of ${what} `);
});

test.run();
