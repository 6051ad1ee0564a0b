/** Where an import takes its points from: a file, or a store of another make. Must not know: our servers. */

import type { CollectionSettings } from '../../sdk/index.js';
import type { RecordSource, SourceKey } from './record.js';

/** Where reading begins: at the record with this index, which comes behind the one with this key. */
export interface OriginPlace {
  readonly next: number;
  readonly key?: SourceKey;
}

export interface Origin {
  /** In sentences, and before the places of its records. */
  readonly name: string;
  /** What a note of an interrupted import stands beside. */
  readonly notePath: string;
  /** What must be the same for an interrupted import to go on. */
  readonly identity: Readonly<Record<string, string | number>>;
  /** Of a collection that is made for it. With a distance and no dimension, that is the first point's. */
  readonly settings: OriginSettings;
  /** What does not come along, in sentences; said before anything is written. */
  readonly losses: readonly string[];
  /** @throws FileProblem when it is not there, or not what it should be at first sight */
  open(place: OriginPlace): Promise<RecordSource>;
  close(): Promise<void>;
}

export interface OriginSettings extends CollectionSettings {
  /** Somebody who knew chose the distance: nobody needs to be told. */
  readonly distanceKnown: boolean;
}
