/** `skein search COLLECTION`: the points nearest to a vector or to another point, or those with certain words. Exit code 0 also when there are none.
 *  Must not know: how hits are shown. */

import type { SearchValues } from '../../config/data-command-fields.js';
import { collectionPath } from '../../model/api-paths.js';
import { UsageError } from '../failure.js';
import { connectTo } from '../server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from '../surroundings.js';
import { answerLines, answerObjects, type SearchAnswerBody } from './search-view.js';
import { readVector, vectorOfText } from './vector-argument.js';

/** @throws UsageError */
export async function search(collection: string, values: SearchValues, surroundings: Surroundings): Promise<ExitCode> {
  const { output, errors, stopping } = surroundings;
  const body = await bodyOf(values, surroundings);
  const client = connectTo(values);
  try {
    const answer = (await client.send({
      what: `search ${collection}`,
      method: 'POST',
      kind: 'read',
      body,
      options: { signal: stopping },
      path: collectionPath(collection, '/points/search'),
    })) as SearchAnswerBody;
    const lines = values.json ? answerObjects(answer).map((object) => JSON.stringify(object)) : answerLines(answer);
    for (const line of lines) print(output, line);
    if (!answer.complete)
      print(errors, `skein: there are more hits than were found: ${answer.incomplete_reason ?? 'no reason is known'}`);
    return EXIT.done;
  } finally {
    client.close();
  }
}

async function bodyOf(values: SearchValues, surroundings: Surroundings): Promise<Record<string, unknown>> {
  const { vector, vectorFile, using, id, text, limit, offset, efSearch, exact, withVector, explain } = values;
  if (vector !== null && vectorFile !== null) throw new UsageError('search takes --vector or --vector-file, not both');
  const near = vectorFile === null ? (vector === null ? null : await vectorOfText(vector, surroundings)) : readVector(vectorFile);
  if (near !== null && id !== null) throw new UsageError('search looks near a vector or near the point of --id, not both');
  if (near === null && id === null && text === null)
    throw new UsageError("search needs --vector '[…]', --vector-file FILE, --id ID or --text WORDS");
  return {
    ...(near === null ? {} : { vector: near }),
    ...(using === null ? {} : { using }),
    ...(id === null ? {} : { id: idOf(id) }),
    ...(text === null ? {} : { text }),
    ...(values.filter === null ? {} : { filter: filterOf(values.filter) }),
    ...(efSearch === null ? {} : { ef_search: efSearch }),
    ...{ limit, offset, exact, explain, with_vector: withVector },
  };
}

/** @throws UsageError */
function filterOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`--filter is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function idOf(text: string): string | number {
  if (/^(?:0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  return /^"\d+"$/.test(text) ? text.slice(1, -1) : text;
}
