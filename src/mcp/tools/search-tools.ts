/** Tools that find points: by a vector, by a point that is there, by words, and by meaning and words at once. */

import { Type } from 'typebox';
import { collectionPath } from '../../model/api-paths.js';
import { invalidRequest } from '../../model/errors.js';
import type { SearchAnswerBody } from '../../wire/http-bodies.js';
import { FusionBody } from '../../wire/search-parts.js';
import { boundedList, leftOutFields } from '../bounded-answer.js';
import { type AskServer, type ToolAnswer, tool } from '../tool.js';
import { closed, Id, QueryText, searching, Vector } from '../tool-inputs.js';

const near = {
  vector: Type.Optional(Vector),
  id: Type.Optional(Id),
};

const SearchInput = Type.Object(
  {
    ...near,
    text: Type.Optional(QueryText),
    exact: Type.Optional(Type.Boolean({ description: 'Compare with every point instead of asking the graph; default false.' })),
    ef_search: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Larger finds more and takes longer.' })),
    ...searching,
  },
  { ...closed, description: 'One of vector, id and text says what is searched for.' },
);

const HybridInput = Type.Object(
  {
    ...near,
    text: QueryText,
    fusion: Type.Optional(FusionBody),
    ...searching,
  },
  { ...closed, description: 'A text, and a vector or the id of a point.' },
);

export const searchTool = tool(
  {
    name: 'search',
    title: 'Search a collection',
    description:
      'Finds the points of a collection that are nearest to a vector or to a stored point (id), or whose text fields match words (text). Best first. complete: false says that fewer hits were found than there are.',
  },
  'reads',
  SearchInput,
  ({ collection, ...body }, ask) => search(collection, body, ask),
);

export const hybridSearchTool = tool(
  {
    name: 'hybrid_search',
    title: 'Search by meaning and words',
    description:
      'Searches a collection by a vector (or a stored point) and by words at once, and merges both lists. mode says what answered: when one of the two cannot answer, the other does, and degraded is true.',
  },
  'reads',
  HybridInput,
  async ({ collection, ...body }, ask) => {
    if (body.vector === undefined && body.id === undefined)
      throw invalidRequest('', 'a vector or an id is needed beside the text; for words alone use the tool search');
    return search(collection, body, ask);
  },
);

async function search(collection: string, body: object, ask: AskServer): Promise<ToolAnswer> {
  const path = collectionPath(collection, '/points/search');
  const { hits, ...rest } = (await ask({
    what: `search ${collection}`,
    method: 'POST',
    path,
    kind: 'read',
    body,
  })) as SearchAnswerBody;
  const { items, leftOut } = boundedList(hits);
  return { object: { ...rest, ...leftOutFields(leftOut, 'hits'), hits: items } };
}
