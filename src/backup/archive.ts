/** The archive: the backups of one cluster in one target. Lists them, adds and removes them as wholes, and gives their bytes checked.
 *
 *    objects ─► head, written last  =  a backup  ─► head removed first ─► objects removed
 *
 *  Invariant: a backup is listed when all of it was stored; one whose head or objects are not what they were is listed as damaged, by name
 *  and with what is wrong. Must not know: when backups are made, how they are restored. */

import { failpoint } from '../model/failpoint.js';
import { type BrokenBackup, backupDamaged } from './damaged.js';
import { ReplayableBody } from './guarded-target.js';
import { BACKUP_HEAD_BYTES_MAX, type BackupHead, encodeHead, openHead, type PackedFile, readHead, Unreadable } from './head.js';
import { BACKUP_FORMAT, HEAD_NAME, keyOf, readKey, readName } from './names.js';
import { checkedPacked, pack, Unsound, unpack } from './packing.js';
import { type BackupTarget, mayPass, ObjectNotFound, type StoredObject } from './target.js';

export interface Listing {
  /** Newest first. */
  readonly backups: readonly BackupHead[];
  /** Newest first. */
  readonly damaged: readonly BrokenBackup[];
  /** Those of the damaged whose heads are right: only their bytes, read to the end, show whether they are. */
  readonly doubted: readonly BackupHead[];
  /** Objects without a head: of a backup that is being made, or was cut off. */
  readonly headless: readonly StoredObject[];
  /** When a backup was last found to be right by restoring it, by id. */
  readonly verified: ReadonlyMap<string, number>;
}

/** What a look at one shows: one of the two, or both, where the head is right and an object beside it is not. */
interface Looked {
  readonly head: BackupHead | null;
  readonly broken: BrokenBackup | null;
}

/** A stream that broke is read again from its beginning so often. */
const FETCHES_MAX = 3;
const HEADS_READ_AT_ONCE = 8;
const PROOF_NAME = 'verified.json';

/** The clusters that have objects in a target, by id. @throws BackupTargetFailed */
export async function clustersIn(target: BackupTarget): Promise<string[]> {
  const found = new Set<string>();
  for await (const { key } of target.list('')) {
    const named = readKey(key);
    if (named?.file === HEAD_NAME) found.add(named.clusterId);
  }
  return [...found].sort();
}

/** Do backups lie there without the folder of their cluster? Then it is the inside of a place, which is one level up. @throws BackupTargetFailed */
export async function isInsidePlace(target: BackupTarget): Promise<boolean> {
  for await (const { key } of target.list('')) if (readName(key.split('/', 1)[0] ?? '') !== null) return true;
  return false;
}

export class Archive {
  readonly target: BackupTarget;
  readonly clusterId: string;
  readonly #heads = new Map<string, { readonly object: StoredObject; readonly head: BackupHead }>();

  /** @param target with what retries a call by itself (guarded-target.ts) */
  constructor(target: BackupTarget, clusterId: string) {
    this.target = target;
    this.clusterId = clusterId;
  }

  /** Cost: one listing, and each head once; one that is not right each time anew. @throws BackupTargetFailed */
  async list(): Promise<Listing> {
    const objects = await this.#objects('');
    const backups: BackupHead[] = [];
    const damaged: BrokenBackup[] = [];
    const doubted: BackupHead[] = [];
    const headless: StoredObject[] = [];
    const verified = new Map<string, number>();
    const withHead: [string, Map<string, StoredObject>][] = [];
    for (const [id, files] of objects) {
      const proof = files.get(PROOF_NAME);
      if (proof !== undefined) verified.set(id, proof.modifiedAtMs);
      if (files.has(HEAD_NAME)) withHead.push([id, files]);
      else headless.push(...files.values());
    }
    for (let at = 0; at < withHead.length; at += HEADS_READ_AT_ONCE) {
      const some = withHead.slice(at, at + HEADS_READ_AT_ONCE).map(([id, files]) => this.#look(id, files));
      for (const { head, broken } of await Promise.all(some)) {
        if (broken !== null) damaged.push(broken);
        if (head !== null) (broken === null ? backups : doubted).push(head);
      }
    }
    for (const id of this.#heads.keys()) if (!objects.has(id)) this.#heads.delete(id);
    for (const found of [backups, damaged, doubted]) found.sort(newestFirst);
    return { backups, damaged, doubted, headless, verified };
  }

  /** By the id of their backup, of those whose ids begin with `prefix`. */
  async #objects(prefix: string): Promise<Map<string, Map<string, StoredObject>>> {
    const objects = new Map<string, Map<string, StoredObject>>();
    for await (const object of this.target.list(`${this.clusterId}/${prefix}`)) {
      const named = readKey(object.key);
      if (named === null) continue;
      const files = objects.get(named.id) ?? new Map<string, StoredObject>();
      objects.set(named.id, files.set(named.file, object));
    }
    return objects;
  }

  /** Nothing when it is gone meanwhile. */
  async #look(id: string, files: ReadonlyMap<string, StoredObject>): Promise<Looked> {
    const object = files.get(HEAD_NAME) as StoredObject;
    const known = this.#heads.get(id);
    const same = known?.object.bytes === object.bytes && known.object.modifiedAtMs === object.modifiedAtMs;
    const found = same ? { head: known.head, broken: null } : await this.#readHead(id, object);
    const { head } = found;
    if (head === null) return found;
    if (!same) this.#heads.set(id, { object, head });
    for (const { name, storedBytes } of head.files) {
      const bytes = files.get(packedName(name))?.bytes ?? null;
      if (bytes === storedBytes) continue;
      const problem = bytes === null ? 'it is missing' : `it has ${bytes} bytes, not ${storedBytes}`;
      return { head, broken: { id, object: this.#key(id, packedName(name)), problem, end: head.end } };
    }
    return found;
  }

  async #readHead(id: string, object: StoredObject): Promise<Looked> {
    const damaged = (problem: string): Looked => ({ head: null, broken: { id, object: object.key, problem, end: null } });
    const format = readName(id)?.format;
    if (format !== BACKUP_FORMAT) return damaged(`it has format ${format}, which this build does not know`);
    if (object.bytes > BACKUP_HEAD_BYTES_MAX) return damaged(`a head of ${object.bytes} bytes is longer than any`);
    try {
      const bytes = await collect(this.target.get(object.key), BACKUP_HEAD_BYTES_MAX);
      return { head: readHead(bytes, id, this.clusterId), broken: null };
    } catch (error) {
      if (error instanceof ObjectNotFound) return { head: null, broken: null };
      if (error instanceof RangeError) return damaged(error.message);
      throw error;
    }
  }

  /** Is there a head as somebody wrote it, though this build may not know what it says? @throws BackupTargetFailed */
  async hasWholeHead(id: string): Promise<boolean> {
    try {
      openHead(await collect(this.target.get(this.#key(id, HEAD_NAME)), BACKUP_HEAD_BYTES_MAX));
    } catch (error) {
      if (error instanceof ObjectNotFound || error instanceof Unreadable) return false;
      // Longer than any of this format: another one may have longer ones.
      if (!(error instanceof RangeError)) throw error;
    }
    return true;
  }

  /** Reads all of a backup. Cost: each of its bytes. @throws BackupDamaged · BackupTargetFailed · the signal's reason */
  async check(head: BackupHead, signal: AbortSignal): Promise<void> {
    for (const file of head.files)
      await this.fetch(async () => {
        for await (const _ of this.packed(head.id, file)) signal.throwIfAborted();
      });
  }

  /** Packs and stores one file of a backup that has no head yet. @param plain called again when it must be stored again
   *  @throws BackupTargetFailed, and what `plain` throws */
  async put(id: string, name: string, plain: () => AsyncIterable<Uint8Array>): Promise<PackedFile> {
    let packing = pack(plain());
    let opened = false;
    const body = new ReplayableBody(() => {
      if (opened) packing = pack(plain());
      opened = true;
      return packing.body;
    });
    await this.target.put(this.#key(id, packedName(name)), body);
    return { name, ...packing.sums() };
  }

  /** From now on the backup exists. @throws BackupTargetFailed */
  async finish(head: BackupHead): Promise<void> {
    await this.target.put(this.#key(head.id, HEAD_NAME), bodyOf(encodeHead(head)));
  }

  /** Notes beside a backup that it was restored and found to be right. @throws BackupTargetFailed */
  async prove(id: string, report: object): Promise<void> {
    await this.target.put(this.#key(id, PROOF_NAME), bodyOf(Buffer.from(`${JSON.stringify(report)}\n`)));
  }

  /** Removes a backup, or what was stored of one; harmless when it is not there. @throws BackupTargetFailed */
  async remove(id: string): Promise<void> {
    const files = [...((await this.#objects(`${id}/`)).get(id)?.keys() ?? [])];
    await this.removeObject(this.#key(id, HEAD_NAME));
    failpoint('backup.head_removed');
    for (const file of files) if (file !== HEAD_NAME) await this.removeObject(this.#key(id, file));
  }

  async removeObject(key: string): Promise<void> {
    await this.target.remove(key);
  }

  /** The plain bytes of a file; nothing of them is to be believed before the end. @throws BackupDamaged · BackupTargetFailed */
  plain(id: string, file: PackedFile): AsyncGenerator<Uint8Array> {
    return this.#named(id, file, unpack(this.target.get(this.#key(id, packedName(file.name))), file));
  }

  /** The packed bytes of a file; the same holds. @throws BackupDamaged · BackupTargetFailed */
  packed(id: string, file: PackedFile): AsyncGenerator<Uint8Array> {
    return this.#named(id, file, checkedPacked(this.target.get(this.#key(id, packedName(file.name))), file));
  }

  /** Reads a file by `take`, again when the stream broke on the way. @throws BackupDamaged · BackupTargetFailed, and what `take` throws */
  async fetch(take: () => Promise<void>): Promise<void> {
    for (let fetches = 1; ; fetches++) {
      try {
        return await take();
      } catch (error) {
        if (fetches === FETCHES_MAX || !mayPass(error)) throw error;
      }
    }
  }

  async *#named(id: string, file: PackedFile, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (error) {
      const object = this.#key(id, packedName(file.name));
      if (error instanceof Unsound) throw backupDamaged({ id, object, problem: error.message });
      if (error instanceof ObjectNotFound) throw backupDamaged({ id, object, problem: 'it is missing' });
      throw error;
    }
  }

  #key(id: string, file: string): string {
    return keyOf(this.clusterId, id, file);
  }
}

function packedName(name: string): string {
  return `${name}.gz`;
}

/** Names in bytewise order are in the order of their making. */
function newestFirst(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? 1 : -1;
}

async function collect(pieces: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const held: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new RangeError(`it is longer than ${bytesMax} bytes`);
    held.push(piece);
  }
  return Buffer.concat(held);
}

function bodyOf(bytes: Uint8Array): ReplayableBody {
  return new ReplayableBody(async function* () {
    yield bytes;
  });
}
