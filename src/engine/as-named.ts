/** Work on what a name stands for: a collection, or an alias that may be switched while the work goes on.
 *
 *  Rows and indexes are read of the newest commit, names of the newest that the main thread has heard of. So when the name stands for
 *  something else in the end, the work is done again, and nobody sees the old collection with what came in the switch, nor misses one that
 *  was dropped in its favour. Must not know: what is done. */

import { SkeinError } from '../model/errors.js';
import type { Catalogue, CatalogueEntry } from './catalogue.js';
import { MESSAGE_WAIT_MS } from './position-wait.js';
import type { Tail } from './tail.js';

/** @param name of a collection or an alias  @throws InvalidCollectionName, CollectionNotFound · as `work` */
export async function asNamed<Answer>(
  { catalogue, durable }: { readonly catalogue: Catalogue; readonly durable: Tail },
  name: string,
  work: (entry: CatalogueEntry) => Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    const entry = catalogue.get(name);
    try {
      const answer = await work(entry);
      if (catalogue.find(name) === entry) return answer;
    } catch (error) {
      if (!(error instanceof SkeinError) || error.type !== 'CollectionNotFound') throw error;
      // Its rows tell of a drop before the commit does.
      while (catalogue.find(name) === entry) if (!(await durable.reach(durable.seq + 1, MESSAGE_WAIT_MS))) throw error;
    }
  }
}
