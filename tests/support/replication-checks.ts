/** Checkers of recorded histories: what clients of a cluster were told, held against each other and against what is there in the end.
 *
 *  Pure: a history goes in, sentences about breaches come out; none means clean. Every value is written once. An operation of unknown outcome
 *  may happen at any time after its call. Must not know: servers. */

import { decodeToken, type Position } from '../../src/model/position.js';

export interface Operation {
  /** A client does one thing at a time, and is a session: it sends the newest token it was given. */
  readonly client: string;
  readonly node: string;
  readonly kind: 'write' | 'read';
  readonly key: string;
  /** Written, or read; null: deleted, or not there. */
  readonly value: number | null;
  readonly calledMs: number;
  /** null: never. One clock for all clients. */
  readonly answeredMs: number | null;
  /** unknown: no answer, or one that leaves it open. */
  readonly outcome: 'ok' | 'refused' | 'unknown';
  /** Of the answer; a write's is its own position. */
  readonly token: string | null;
  /** A write that a majority confirmed. */
  readonly majority?: boolean;
  readonly idempotencyKey?: string;
}

/** What a node holds in the end. */
export interface FinalState {
  readonly node: string;
  readonly values: ReadonlyMap<string, number>;
}

/** A node's digest at a position. */
export interface DigestSeen {
  readonly node: string;
  readonly position: string;
  readonly digest: string;
}

/** A history of the winning line: epoch and id, and the last seq before it. */
export interface HistoryOfLine {
  readonly epoch: number;
  readonly historyId: string;
  readonly startSeq: number;
}

type Answered = Operation & { readonly answeredMs: number; readonly token: string };

/** No acknowledged write is lost, and nothing is there that nobody wrote or that was refused or overwritten. */
export function checkFinalStates(history: readonly Operation[], states: readonly FinalState[]): string[] {
  const byKey = groupBy(history.filter(isWrite), ({ key }) => key);
  return states.flatMap(({ node, values }) => {
    const strangers = [...values.keys()].filter((key) => !byKey.has(key)).map((key) => `${node}: nobody wrote ${key}`);
    const wrong = [...byKey].flatMap(([key, writes]) =>
      whyWrong(values.get(key) ?? null, writes).map((why) => `${node}: ${key} ${why}`),
    );
    return [...strangers, ...wrong];
  });
}

/** The reads of a client never go back: neither its epoch nor its seq falls. */
export function checkMonotonicReads(history: readonly Operation[]): string[] {
  const back = sessions(history).flatMap(([client, operations]) => {
    const reads = operations.filter((operation) => operation.kind === 'read');
    return reads.slice(1).flatMap((read, index) => {
      const before = reads[index] as Answered;
      return isBehind(read, before) ? [`${client}: read ${shown(before)}, then ${shown(read)}`] : [];
    });
  });
  return [...withoutToken(history), ...back];
}

/** After its own acknowledged write a client reads that value of the key or a newer one, at that position or a later one. */
export function checkReadYourWrites(history: readonly Operation[]): string[] {
  const byKey = groupBy(history.filter(isWrite), ({ key }) => key);
  const unread = sessions(history).flatMap(([client, operations]) =>
    operations.flatMap((read, index) => {
      if (read.kind !== 'read') return [];
      const own = operations.slice(0, index).filter((earlier) => earlier.kind === 'write');
      const behind = own
        .filter((write) => isBehind(read, write))
        .map((write) => `${client}: wrote ${shown(write)}, read ${shown(read)}`);
      const ownOfKey = own.filter(({ key }) => key === read.key);
      const wrong = whyWrong(read.value, byKey.get(read.key) ?? [], ownOfKey).map((why) => `${client}: ${read.key} ${why}`);
      return [...behind, ...wrong];
    }),
  );
  return [...withoutToken(history), ...unread];
}

/** Wherever and whenever two nodes were at the same position they had the same digest, and no position is without one. */
export function checkDigestsAgree(seen: readonly DigestSeen[]): string[] {
  const byPosition = groupBy(seen, ({ position }) => position);
  const apart = [...byPosition].filter(([, at]) => new Set(at.map(({ digest }) => digest)).size > 1);
  const missing = seen.filter(({ digest }) => !digest).map(({ node, position }) => `${node} has no digest at ${position}`);
  return [
    ...missing,
    ...apart.map(([position, at]) => `at ${position}: ${at.map(({ node, digest }) => `${node} ${digest}`).join(', ')}`),
  ];
}

/** In the end all nodes are at one position with one digest. */
export function checkEqualDigests(last: readonly DigestSeen[]): string[] {
  if (last.length < 2) return ['fewer than two nodes: nothing to compare'];
  const positions = new Set(last.map(({ position }) => position));
  const apart =
    positions.size > 1 ? [`different positions: ${last.map(({ node, position }) => `${node} ${position}`).join(', ')}`] : [];
  return [...apart, ...checkDigestsAgree(last)];
}

/** One node and one history for each epoch's writes, and every write that a majority confirmed in the line that won. */
export function checkEpochs(history: readonly Operation[], line: readonly HistoryOfLine[]): string[] {
  const writes = history.filter(isWrite).filter(isAnswered);
  const byEpoch = groupBy(writes, ({ token }) => positionOf(token).epoch);
  const shared = [...byEpoch].flatMap(([epoch, ofEpoch]) => {
    const masters = new Set(ofEpoch.map(({ node, token }) => `${node} with history ${positionOf(token).historyId}`));
    return masters.size > 1 ? [`epoch ${epoch} has ${masters.size} masters: ${[...masters].join(', ')}`] : [];
  });
  const lost = writes
    .filter((write) => write.majority === true && !isInLine(positionOf(write.token), line))
    .map((write) => `a majority confirmed ${shown(write)}, which is not in the line that won`);
  return [...withoutToken(history.filter(isWrite)), ...shared, ...lost];
}

/** Answers to one idempotency key are of one effect, of two keys of two effects; and no key had a second effect without an answer.
 *  @param effects how many effects the log holds of these writes, each of them a unit of one entry */
export function checkAtMostOnce(history: readonly Operation[], effects: number): string[] {
  const keyed = history.filter((operation) => isWrite(operation) && operation.idempotencyKey !== undefined);
  const byKey = groupBy(keyed, ({ idempotencyKey }) => idempotencyKey as string);
  const tokens = [...byKey].map(([key, tries]) => ({ key, tokens: new Set(tries.filter(isAnswered).map(({ token }) => token)) }));
  const twice = tokens.filter((one) => one.tokens.size > 1).map(({ key, tokens: of }) => `${key} had ${of.size} effects`);
  const byToken = groupBy(
    tokens.flatMap(({ key, tokens: of }) => [...of].map((token) => ({ key, token }))),
    ({ token }) => token,
  );
  const shared = [...byToken.values()]
    .filter(({ length }) => length > 1)
    .map((of) => `one effect of ${of.map(({ key }) => key).join(' and ')}`);
  const sure = tokens.filter((one) => one.tokens.size > 0).length;
  const possible = [...byKey.values()].filter((tries) => tries.some(({ outcome }) => outcome !== 'refused')).length;
  const off = effects < sure || effects > possible;
  return [
    ...withoutToken(keyed),
    ...twice,
    ...shared,
    ...(off ? [`the log holds ${effects} effects, it should be ${sure} to ${possible}`] : []),
  ];
}

function isWrite(operation: Operation): boolean {
  return operation.kind === 'write';
}

function isAnswered(operation: Operation): operation is Answered {
  return operation.outcome === 'ok' && operation.answeredMs !== null && operation.token !== null;
}

/** What each client was told, in order. */
function sessions(history: readonly Operation[]): [string, Answered[]][] {
  const answered = history.filter(isAnswered).sort((a, b) => a.calledMs - b.calledMs);
  return [...groupBy(answered, ({ client }) => client)];
}

function withoutToken(history: readonly Operation[]): string[] {
  const without = history.filter(({ outcome, token }) => outcome === 'ok' && token === null);
  return without.map(({ client, kind, key }) => `${client}: a ${kind} of ${key} was answered without a token`);
}

/** @param overwriting the writes after which an older value is wrong */
function whyWrong(value: number | null, writes: readonly Operation[], overwriting: readonly Operation[] = writes): string[] {
  const origins = writes.filter((write) => write.value === value);
  const happened = origins.filter(({ outcome }) => outcome !== 'refused');
  if (happened.length === 0 && value !== null)
    return [`is ${value}, which ${origins.length > 0 ? 'was refused' : 'nobody wrote'}`];
  const latestMs = Math.max(Number.NEGATIVE_INFINITY, ...happened.map(endMs));
  const newer = overwriting.find((write) => write.outcome === 'ok' && write.calledMs > latestMs);
  return newer === undefined ? [] : [`is ${value}, but ${newer.value} was acknowledged after it`];
}

/** When it has certainly happened. */
function endMs({ outcome, answeredMs }: Operation): number {
  return outcome === 'ok' && answeredMs !== null ? answeredMs : Number.POSITIVE_INFINITY;
}

function positionOf(token: string): Position {
  return decodeToken(token, 'token');
}

function isBehind(later: Answered, earlier: Answered): boolean {
  const [now, before] = [positionOf(later.token), positionOf(earlier.token)];
  return now.epoch < before.epoch || now.seq < before.seq || (now.epoch === before.epoch && now.historyId !== before.historyId);
}

/** In the line, and not beyond the point where the next history of the line forked off. */
function isInLine({ historyId, epoch, seq }: Position, line: readonly HistoryOfLine[]): boolean {
  const index = line.findIndex((history) => history.historyId === historyId && history.epoch === epoch);
  const end = line[index + 1]?.startSeq ?? Number.POSITIVE_INFINITY;
  return index >= 0 && seq <= end;
}

function shown({ key, value, node, token }: Answered): string {
  const { epoch, seq } = positionOf(token);
  return `${key}=${value} of ${node} at ${epoch}/${seq}`;
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
