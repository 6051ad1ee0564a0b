/** What collections declare beside their vectors, as it stands in bodies: text, indexes of payload fields, quantization, strict mode.
 *
 *  Paths and stop words have the mark `x-own-check`: http/declarations.ts checks them and names each by its place. */

import { type Static, Type } from 'typebox';
import { PAYLOAD_INDEX_TYPES, type PayloadIndexType, TEXT_LANGUAGES } from '../model/collection.js';
import { FIXED } from '../model/limits.js';
import { closed, FieldPath, nullable, OWN_CHECK } from './body-parts.js';
import { ChangedStrictModeBody, NewStrictModeBody, ShownStrictModeBody } from './strict-bodies.js';
import { ChangedQuantization, NewQuantization, ShownQuantization } from './vector-bodies.js';

const StopWords = Type.Unsafe<'default' | readonly string[]>({
  [OWN_CHECK]: true,
  anyOf: [
    { const: 'default' },
    {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: FIXED.stopWordLengthMax },
      maxItems: FIXED.stopWordsMax,
    },
  ],
  default: 'default',
  description:
    'Words that are passed over: those of the language, or a list in their place; with an empty one every word counts.',
});

const Length = (otherwise: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: FIXED.wordLengthMax, default: otherwise }));
const WordLengthBody = Type.Object(
  { min: Length(1), max: Length(FIXED.wordLengthMax) },
  { ...closed, description: 'In characters, of stems where there is a stemmer: words of another length are passed over.' },
);

const TextBody = Type.Object(
  {
    language: Type.Optional(Type.Enum([...TEXT_LANGUAGES], { default: 'english', description: 'none: words as they stand.' })),
    stop_words: Type.Optional(StopWords),
    word_length: Type.Optional(nullable(WordLengthBody)),
    k1: Type.Optional(Type.Number({ minimum: 0, maximum: 10, default: 1.2, description: 'Of BM25.' })),
    b: Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: 0.75, description: 'Of BM25.' })),
  },
  closed,
);

const PayloadIndexBody = Type.Object(
  { path: FieldPath, type: Type.Enum([...PAYLOAD_INDEX_TYPES] as [PayloadIndexType, ...PayloadIndexType[]]) },
  closed,
);

/** Fields of a new collection, and of a change: lists are replaced as a whole. */
const indexing = {
  text_fields: Type.Optional(
    Type.Array(FieldPath, { maxItems: FIXED.textFieldsMax, description: 'Their strings together are the text of a point.' }),
  ),
  text: Type.Optional(TextBody),
  payload_indexes: Type.Optional(Type.Array(PayloadIndexBody, { maxItems: FIXED.payloadIndexesMax })),
};

export const newDeclarations = {
  ...indexing,
  quantization: NewQuantization,
  strict_mode: Type.Optional(nullable(NewStrictModeBody)),
};

export const changedDeclarations = {
  ...indexing,
  quantization: ChangedQuantization,
  strict_mode: Type.Optional(nullable(ChangedStrictModeBody)),
};

export const shownDeclarations = {
  text_fields: Type.Array(Type.String()),
  text: nullable(
    Type.Object(
      {
        language: Type.Enum([...TEXT_LANGUAGES]),
        stop_words: Type.Unsafe<'default' | readonly string[]>({
          anyOf: [{ const: 'default' }, { type: 'array', items: { type: 'string' } }],
        }),
        word_length: Type.Optional(
          Type.Object({ min: Type.Integer(), max: Type.Integer() }, { description: 'Left out: words of every length count.' }),
        ),
        k1: Type.Number(),
        b: Type.Number(),
      },
      { description: 'null: no text fields.' },
    ),
  ),
  payload_indexes: Type.Array(
    Type.Object({ path: Type.String(), type: Type.Enum([...PAYLOAD_INDEX_TYPES] as [PayloadIndexType, ...PayloadIndexType[]]) }),
  ),
  quantization: ShownQuantization,
  strict_mode: Type.Optional(ShownStrictModeBody),
};

const NewDeclarations = Type.Object(newDeclarations);
export type NewDeclarationsBody = Static<typeof NewDeclarations>;
const ChangedDeclarations = Type.Object(changedDeclarations);
export type ChangedDeclarationsBody = Static<typeof ChangedDeclarations>;
const ShownDeclarations = Type.Object(shownDeclarations);
export type ShownDeclarationsBody = Static<typeof ShownDeclarations>;
