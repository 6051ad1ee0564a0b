/** Link progress: one replica as the node that serves it sees the link. Decisions only: no sockets, no clock of its own.
 *
 *    opening ─► snapshot ─► closed
 *          └──► catchup ─► streaming ─► closed          (any ─► closed)
 *
 *  Invariants: applied ≤ durable ≤ received ≤ sent ≤ tail; what is in flight is at most the window, but for one frame.
 *  A replica that was sent a snapshot comes back on a new link. Must not know: ws, bytes of frames, storage. docs/REPLICATION.md §5. */

export type LinkPhase = 'opening' | 'snapshot' | 'catchup' | 'streaming' | 'closed';

export interface LinkState {
  readonly phase: LinkPhase;
  /** Last seq of the log that is durable here. */
  readonly tailSeq: number;
  /** What was the tail one heartbeat ago: who holds it has caught up, however fast the tail moves on. */
  readonly markSeq: number;
  readonly sentSeq: number;
  readonly receivedSeq: number;
  readonly durableSeq: number;
  readonly appliedSeq: number;
  /** Framed bytes of entries sent, and of those what the replica says it has received. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Chunks of the snapshot: how many there are, the next to send, and the first that the replica does not have (−1: it has not said). */
  readonly chunks: number;
  readonly nextChunk: number;
  readonly wantedChunk: number;
  readonly openedMs: number;
  readonly heardMs: number;
  readonly beatMs: number;
  /** Its state differs from ours at the same seq. */
  readonly diverged: boolean;
}

export interface LinkRules {
  readonly windowBytes: number;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  readonly openingMs: number;
}

export interface Acked {
  readonly receivedBytes: number;
  readonly receivedSeq: number;
  readonly durableSeq: number;
  readonly appliedSeq: number;
  readonly diverged: boolean;
}

export type LinkEvent =
  | { readonly kind: 'continued'; readonly seq: number; readonly nowMs: number }
  | { readonly kind: 'snapshot_begun'; readonly nowMs: number }
  | { readonly kind: 'head_sent'; readonly chunks: number }
  | { readonly kind: 'chunks_wanted'; readonly nextChunk: number; readonly nowMs: number }
  | { readonly kind: 'chunk_sent'; readonly number: number }
  | { readonly kind: 'entries_sent'; readonly throughSeq: number; readonly bytes: number }
  | { readonly kind: 'acked'; readonly ack: Acked; readonly nowMs: number }
  | { readonly kind: 'tail_moved'; readonly seq: number }
  | { readonly kind: 'ticked'; readonly nowMs: number }
  | { readonly kind: 'ended' };

export type LinkEffect =
  | { readonly kind: 'heartbeat' }
  /** It has reached the tail for the first time: from here on it counts. */
  | { readonly kind: 'live' }
  | { readonly kind: 'close'; readonly reason: LinkFault };

/** Why this side ends a link. */
export type LinkFault = 'opening_timeout' | 'silent' | 'unexpected_message' | 'impossible_ack';

export interface LinkStep {
  readonly state: LinkState;
  readonly effects: readonly LinkEffect[];
}

const CHUNKS_IN_FLIGHT_MAX = 8;

export function openLink(nowMs: number, tailSeq: number): LinkState {
  return {
    phase: 'opening',
    tailSeq,
    markSeq: tailSeq,
    sentSeq: 0,
    receivedSeq: 0,
    durableSeq: 0,
    appliedSeq: 0,
    sentBytes: 0,
    receivedBytes: 0,
    chunks: 0,
    nextChunk: 0,
    wantedChunk: -1,
    openedMs: nowMs,
    heardMs: nowMs,
    beatMs: nowMs,
    diverged: false,
  };
}

/** May the next stretch of the log be sent? */
export function maySendEntries(state: LinkState, rules: LinkRules): boolean {
  const following = state.phase === 'catchup' || state.phase === 'streaming';
  return (
    following && !state.diverged && state.sentSeq < state.tailSeq && state.sentBytes - state.receivedBytes < rules.windowBytes
  );
}

export function maySendChunk(state: LinkState): boolean {
  const { phase, chunks, nextChunk, wantedChunk } = state;
  return phase === 'snapshot' && wantedChunk >= 0 && nextChunk < chunks && nextChunk - wantedChunk < CHUNKS_IN_FLIGHT_MAX;
}

type Handler<Kind extends LinkEvent['kind']> = (
  state: LinkState,
  event: LinkEvent & { readonly kind: Kind },
  rules: LinkRules,
) => LinkStep;
type Row = { readonly [Kind in LinkEvent['kind']]: Handler<Kind> };

const NOTHING: readonly LinkEffect[] = [];
const stay = (state: LinkState): LinkStep => ({ state, effects: NOTHING });
const end = (state: LinkState): LinkStep => ({ state: { ...state, phase: 'closed' }, effects: NOTHING });
const fault = (state: LinkState, reason: LinkFault): LinkStep => ({
  state: { ...state, phase: 'closed' },
  effects: [{ kind: 'close', reason }],
});
const unexpected = (state: LinkState): LinkStep => fault(state, 'unexpected_message');
const moveTail: Handler<'tail_moved'> = (state, { seq }) => stay({ ...state, tailSeq: Math.max(state.tailSeq, seq) });

const tick: Handler<'ticked'> = (state, { nowMs }, rules) => {
  if (nowMs - state.heardMs > rules.timeoutMs) return fault(state, 'silent');
  if (nowMs - state.beatMs < rules.heartbeatMs) return stay(state);
  return { state: { ...state, beatMs: nowMs, markSeq: state.tailSeq }, effects: [{ kind: 'heartbeat' }] };
};

const acknowledge: Handler<'acked'> = (state, { ack, nowMs }) => {
  const { receivedBytes, receivedSeq, durableSeq, appliedSeq, diverged } = ack;
  const ordered = appliedSeq <= durableSeq && durableSeq <= receivedSeq && receivedSeq <= state.sentSeq;
  const forward =
    durableSeq >= state.durableSeq &&
    receivedSeq >= state.receivedSeq &&
    receivedBytes >= state.receivedBytes &&
    receivedBytes <= state.sentBytes;
  if (!ordered || !forward) return fault(state, 'impossible_ack');
  const next: LinkState = { ...state, receivedBytes, receivedSeq, durableSeq, appliedSeq, diverged, heardMs: nowMs };
  if (state.phase === 'catchup' && durableSeq >= state.markSeq)
    return { state: { ...next, phase: 'streaming' }, effects: [{ kind: 'live' }] };
  return stay(next);
};

const send: Handler<'entries_sent'> = (state, { throughSeq, bytes }) =>
  stay({ ...state, sentSeq: throughSeq, sentBytes: state.sentBytes + bytes });

const following: Row = {
  continued: unexpected,
  snapshot_begun: unexpected,
  head_sent: unexpected,
  chunks_wanted: unexpected,
  chunk_sent: unexpected,
  entries_sent: send,
  acked: acknowledge,
  tail_moved: moveTail,
  ticked: tick,
  ended: end,
};

/** Every event in every phase; a missing cell does not compile. */
const TABLE: { readonly [Phase in LinkPhase]: Row } = {
  opening: {
    // The first heartbeat tells at once how old the data of a node is that is itself behind.
    continued: (state, { seq, nowMs }) => ({
      state: {
        ...state,
        phase: 'catchup',
        markSeq: state.tailSeq,
        sentSeq: seq,
        receivedSeq: seq,
        durableSeq: seq,
        heardMs: nowMs,
        beatMs: nowMs,
      },
      effects: [{ kind: 'heartbeat' }],
    }),
    snapshot_begun: (state, { nowMs }) => stay({ ...state, phase: 'snapshot', heardMs: nowMs }),
    head_sent: unexpected,
    chunks_wanted: unexpected,
    chunk_sent: unexpected,
    entries_sent: unexpected,
    acked: unexpected,
    tail_moved: moveTail,
    ticked: (state, { nowMs }, rules) =>
      nowMs - state.openedMs > rules.openingMs ? fault(state, 'opening_timeout') : stay(state),
    ended: end,
  },
  snapshot: {
    continued: unexpected,
    snapshot_begun: unexpected,
    head_sent: (state, { chunks }) => stay({ ...state, chunks }),
    chunks_wanted: (state, { nextChunk, nowMs }) => {
      if (nextChunk > state.chunks || nextChunk < state.wantedChunk) return unexpected(state);
      // The first wish says where to begin; later ones say what has arrived.
      return stay({ ...state, wantedChunk: nextChunk, nextChunk: Math.max(state.nextChunk, nextChunk), heardMs: nowMs });
    },
    chunk_sent: (state, { number }) => stay({ ...state, nextChunk: number + 1 }),
    entries_sent: unexpected,
    acked: (state, { nowMs }) => stay({ ...state, heardMs: nowMs }),
    tail_moved: moveTail,
    ticked: tick,
    ended: end,
  },
  catchup: following,
  streaming: following,
  closed: {
    continued: stay,
    snapshot_begun: stay,
    head_sent: stay,
    chunks_wanted: stay,
    chunk_sent: stay,
    entries_sent: stay,
    acked: stay,
    tail_moved: stay,
    ticked: stay,
    ended: stay,
  },
};

export function linkStep(state: LinkState, event: LinkEvent, rules: LinkRules): LinkStep {
  const handle = TABLE[state.phase][event.kind] as (state: LinkState, event: LinkEvent, rules: LinkRules) => LinkStep;
  return handle(state, event, rules);
}
