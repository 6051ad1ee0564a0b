/** What happens in the source since a copy began, done in the target in the same order, until somebody ends it.
 *
 *    change feed ─► gathered: the last change of each point ─► upserts and deletes ─► durable in the target ─► onDone(token)
 *
 *  Invariant: when `onDone` is told a token, the target holds what the source held there. Doing changes again, as after an interruption, changes nothing:
 *  each is the whole new state of a point. Settings and aliases are not followed; that they changed is said. Must not know: notes, terminals. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Change, PointInput } from '../../sdk/index.js';
import { settingsOf } from './copy-plan.js';
import type { InfoBody, PointId, Side } from './side.js';

export interface FollowSettings {
  readonly source: Side;
  readonly target: Side;
  /** Collections that were copied. */
  readonly names: readonly string[];
  /** New collections of the source are made and followed as well. */
  readonly all: boolean;
  /** Token or position. */
  readonly from: string;
  readonly batch: number;
  /** @param time of the newest change, by the clock of the source's master */
  onDone(token: string, changes: number, time: string | null): void;
  onNote(line: string): void;
}

/** So long changes are gathered while fewer come than fill a batch. */
const GATHER_MS = 100;

type Latest = { readonly upsert: PointInput } | { readonly remove: PointId };

/** Resolves when the feed ends; it ends by the signal of the source alone. @throws what the feed, or the target, fails with */
export async function followSource(settings: FollowSettings): Promise<void> {
  const followed = new Followed(settings);
  const feed = settings.source.changes(settings.from);
  let coming = feed.next();
  try {
    for (;;) {
      const next = followed.size === 0 ? await coming : await Promise.race([coming, gathered()]);
      if (next === null) {
        await followed.flush();
        continue;
      }
      if (next.done === true) return;
      await followed.take(next.value);
      if (followed.size >= settings.batch) await followed.flush();
      coming = feed.next();
    }
  } finally {
    coming.catch(() => undefined);
    await feed.return().catch(() => undefined);
  }
}

async function gathered(): Promise<null> {
  await delay(GATHER_MS);
  return null;
}

class Followed {
  readonly #settings: FollowSettings;
  readonly #names: Set<string>;
  /** By collection, then by id. */
  #latest = new Map<string, Map<PointId, Latest>>();
  #changes = 0;
  #newest: Change | null = null;

  constructor(settings: FollowSettings) {
    this.#settings = settings;
    this.#names = new Set(settings.names);
  }

  /** Changes that were taken and are not done. */
  get size(): number {
    return this.#changes;
  }

  async take(change: Change): Promise<void> {
    this.#newest = change;
    this.#changes += 1;
    switch (change.type) {
      case 'upsert':
        return this.#keep(change.collection, change.id, latestOf(change));
      case 'delete':
        return this.#keep(change.collection, change.id, { remove: change.id });
      case 'create_collection':
        return this.#created(change.collection, change.settings);
      case 'update_collection':
        return this.#note(change.collection, 'has other settings in the source now; they are not followed');
      case 'delete_collection':
        this.#note(change.collection, 'was deleted in the source; it stays in the target, and is not followed any more');
        this.#latest.delete(change.collection);
        this.#names.delete(change.collection);
        return;
      case 'put_alias':
      case 'delete_alias':
        return this.#settings.onNote(`alias ${change.alias} was changed in the source; that is not followed`);
      default:
        return;
    }
  }

  /** Does what was gathered. */
  async flush(): Promise<void> {
    const { target, onDone } = this.#settings;
    for (const [name, points] of this.#latest) {
      const latest = [...points.values()];
      const upserts = latest.flatMap((one) => ('upsert' in one ? [one.upsert] : []));
      const removes = latest.flatMap((one) => ('remove' in one ? [one.remove] : []));
      await target.write(name, upserts);
      if (removes.length > 0) await target.remove(name, removes);
    }
    const newest = this.#newest;
    if (newest !== null) onDone(newest.token, this.#changes, newest.time);
    this.#latest = new Map();
    this.#changes = 0;
    this.#newest = null;
  }

  #keep(name: string, id: PointId, latest: Latest): void {
    if (!this.#names.has(name)) return;
    const points = this.#latest.get(name) ?? new Map<PointId, Latest>();
    points.set(id, latest);
    this.#latest.set(name, points);
  }

  async #created(name: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
    // The feed begins before the copy did, and so may tell of what was copied.
    if (!this.#settings.all || this.#names.has(name)) return;
    if ((await this.#settings.target.collections()).some((info) => info.name === name)) {
      this.#settings.onNote(`collection ${name} is new in the source and there in the target already; it is not followed`);
      return;
    }
    await this.#settings.target.create(name, settingsOf(settings as InfoBody));
    this.#names.add(name);
  }

  #note(name: string, what: string): void {
    if (this.#names.has(name)) this.#settings.onNote(`collection ${name} ${what}`);
  }
}

/** A point whose life is over by now is gone. */
function latestOf({ id, vector, vectors, payload, expiresAt }: Extract<Change, { type: 'upsert' }>): Latest {
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) return { remove: id };
  return {
    upsert: {
      id,
      ...(vector === undefined ? {} : { vector }),
      ...(vectors === undefined ? {} : { vectors }),
      ...(payload === undefined ? {} : { payload }),
      expiresAt: expiresAt ?? null,
    },
  };
}
