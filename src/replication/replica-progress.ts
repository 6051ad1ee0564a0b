/** Replica progress: the link to the master as the replica sees it. Decisions only: no sockets, no clock of its own.
 *
 *    waiting ─► connecting ─► greeting ─► following ─► waiting        (any ─► waiting on a fault, any ─► stopped)
 *                                    └──► snapshot ─► installing ─► stopped: what follows from the new data begins anew
 *
 *  Invariants: what is handed on to be applied is dense in seq, of the newest epoch seen, and continues the chain of what was handed on
 *  before; durable ≤ received; nothing of an older epoch is taken, ever. Must not know: ws, bytes of frames, storage. docs/REPLICATION.md §6. */

export type ReplicaPhase = 'waiting' | 'connecting' | 'greeting' | 'snapshot' | 'installing' | 'following' | 'stopped';

export interface ReplicaState {
  readonly phase: ReplicaPhase;
  /** Tries since the last link that got somewhere. */
  readonly attempt: number;
  readonly retryAtMs: number;
  /** When this phase began, and when the master was last heard. */
  readonly sinceMs: number;
  readonly heardMs: number;
  /** When entries came, or none were missing. */
  readonly progressMs: number;
  /** The highest epoch ever seen. */
  readonly epoch: number;
  /** Last seq handed on, its chain hash, and the last that is durable here. */
  readonly receivedSeq: number;
  readonly receivedHash: string;
  readonly durableSeq: number;
  readonly receivedBytes: number;
  readonly heartbeat: number;
  /** The chunk that must come next, and how many there are. */
  readonly nextChunk: number;
  readonly chunks: number;
  /** Why the next hello asks for a snapshot; null: it does not. */
  readonly wants: string | null;
  /** Data differs from the master's: nothing more is applied until it is repaired. */
  readonly diverged: boolean;
}

export interface ReplicaRules {
  readonly timeoutMs: number;
  readonly greetingMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A link that lasted this long, or brought entries, begins counting its tries anew. */
  readonly steadyMs: number;
}

/** Why a link is given up. */
export type ReplicaFault =
  | 'cannot_connect'
  | 'closed'
  | 'greeting_timeout'
  | 'silent'
  | 'stalled'
  | 'unexpected_message'
  | 'bad_frame'
  | 'old_epoch'
  | 'new_epoch'
  | 'gap'
  | 'chain'
  | 'rejected'
  | 'loop'
  | 'unauthentic'
  | 'snapshot_failed'
  | 'resync'
  | 'apply_failed';

export type ReplicaEvent =
  | { readonly kind: 'ticked'; readonly nowMs: number; readonly random: number }
  | { readonly kind: 'connected'; readonly nowMs: number }
  | { readonly kind: 'continued'; readonly epoch: number; readonly seq: number; readonly hash: string; readonly nowMs: number }
  | { readonly kind: 'snapshot_promised'; readonly epoch: number; readonly nowMs: number }
  | {
      readonly kind: 'head_came';
      readonly epoch: number;
      readonly chunks: number;
      readonly nextChunk: number;
      readonly nowMs: number;
    }
  | { readonly kind: 'chunk_came'; readonly epoch: number; readonly number: number; readonly nowMs: number }
  | {
      readonly kind: 'entries_came';
      readonly epoch: number;
      readonly firstSeq: number;
      readonly count: number;
      readonly hashBefore: string;
      readonly hashAfter: string;
      readonly bytes: number;
      readonly nowMs: number;
    }
  | {
      readonly kind: 'heartbeat_came';
      readonly epoch: number;
      readonly number: number;
      readonly lastSeq: number;
      readonly nowMs: number;
    }
  | { readonly kind: 'committed'; readonly seq: number }
  /** Bytes come that are no whole frame yet, or nothing is taken from the network for want of room: no frame then says nothing. */
  | { readonly kind: 'alive'; readonly nowMs: number; readonly waiting: boolean }
  | { readonly kind: 'differs' }
  | { readonly kind: 'repaired' }
  | {
      readonly kind: 'failed';
      readonly fault: ReplicaFault;
      readonly nowMs: number;
      readonly random: number;
      readonly retryAfterMs?: number;
    }
  /** The next link must bring a snapshot. */
  | { readonly kind: 'snapshot_wanted'; readonly reason: string }
  | { readonly kind: 'stopped' };

export type ReplicaEffect =
  | { readonly kind: 'connect' }
  /** Ends the socket, if there is one. */
  | { readonly kind: 'disconnect'; readonly fault: ReplicaFault }
  | { readonly kind: 'apply' }
  | { readonly kind: 'write_chunk' }
  | { readonly kind: 'install' }
  | { readonly kind: 'acknowledge' };

export interface ReplicaStep {
  readonly state: ReplicaState;
  readonly effects: readonly ReplicaEffect[];
}

export function newReplica(nowMs: number, epoch: number, wants: string | null): ReplicaState {
  return {
    phase: 'waiting',
    attempt: 0,
    retryAtMs: nowMs,
    sinceMs: nowMs,
    heardMs: nowMs,
    progressMs: nowMs,
    epoch,
    receivedSeq: 0,
    receivedHash: '',
    durableSeq: 0,
    receivedBytes: 0,
    heartbeat: 0,
    nextChunk: 0,
    chunks: 0,
    wants,
    diverged: false,
  };
}

type Handler<Kind extends ReplicaEvent['kind']> = (
  state: ReplicaState,
  event: ReplicaEvent & { readonly kind: Kind },
  rules: ReplicaRules,
) => ReplicaStep;
type Row = { readonly [Kind in ReplicaEvent['kind']]: Handler<Kind> };

const NOTHING: readonly ReplicaEffect[] = [];
const stay = (state: ReplicaState): ReplicaStep => ({ state, effects: NOTHING });

/** Full jitter over an exponential wait (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015). */
function giveUp(
  state: ReplicaState,
  fault: ReplicaFault,
  nowMs: number,
  random: number,
  rules: ReplicaRules,
  afterMs = 0,
): ReplicaStep {
  const steady = state.phase === 'following' && (state.receivedBytes > 0 || nowMs - state.sinceMs >= rules.steadyMs);
  const attempt = steady || fault === 'resync' ? 0 : state.attempt + 1;
  const most = Math.min(rules.backoffMaxMs, rules.backoffMinMs * 2 ** Math.min(attempt, 20));
  const retryAtMs = nowMs + Math.max(afterMs, fault === 'resync' ? 0 : random * most);
  return {
    state: { ...state, phase: 'waiting', attempt, retryAtMs, sinceMs: nowMs },
    effects: [{ kind: 'disconnect', fault }],
  };
}

const fail: Handler<'failed'> = (state, { fault, nowMs, random, retryAfterMs }, rules) => {
  // Whatever cannot be applied will fail again: only another copy of the data helps.
  const next = fault === 'apply_failed' ? { ...state, wants: state.wants ?? 'apply_failed' } : state;
  return giveUp(next, fault, nowMs, random, rules, retryAfterMs);
};
const stop = (state: ReplicaState): ReplicaStep => ({
  state: { ...state, phase: 'stopped' },
  effects: [{ kind: 'disconnect', fault: 'closed' }],
});
const want: Handler<'snapshot_wanted'> = (state, { reason }) => stay({ ...state, wants: reason });
const commit: Handler<'committed'> = (state, { seq }) => stay({ ...state, durableSeq: Math.max(state.durableSeq, seq) });
const live: Handler<'alive'> = (state, { nowMs, waiting }) =>
  stay({ ...state, heardMs: nowMs, progressMs: waiting ? nowMs : state.progressMs });
const differ: Handler<'differs'> = (state) => stay({ ...state, diverged: true });
const repair: Handler<'repaired'> = (state) => stay({ ...state, diverged: false });

/** On a message that this phase cannot get. Nobody draws a lot here, so the wait is the longest of its try. */
function unexpected(state: ReplicaState, event: { readonly nowMs: number }, rules: ReplicaRules): ReplicaStep {
  return giveUp(state, 'unexpected_message', event.nowMs, 1, rules);
}

/** @returns what to give up for, or null: the epoch is the one of this link */
function epochFault(state: ReplicaState, epoch: number): ReplicaFault | null {
  if (epoch < state.epoch) return 'old_epoch';
  return epoch > state.epoch ? 'new_epoch' : null;
}

function tickOr(limitMs: (rules: ReplicaRules) => number, fault: ReplicaFault, from: 'sinceMs' | 'heardMs'): Handler<'ticked'> {
  return (state, { nowMs, random }, rules) =>
    nowMs - state[from] > limitMs(rules) ? giveUp(state, fault, nowMs, random, rules) : stay(state);
}

const tickGreeting = tickOr((rules) => rules.greetingMs, 'greeting_timeout', 'sinceMs');
const tickFollowing = tickOr((rules) => rules.timeoutMs, 'silent', 'heardMs');

const takeHeartbeat: Handler<'heartbeat_came'> = (state, { epoch, number, lastSeq, nowMs }, rules) => {
  const fault = epochFault(state, epoch);
  if (fault !== null) return giveUp(state, fault, nowMs, 1, rules);
  const missing = state.phase === 'following' && !state.diverged && lastSeq > state.receivedSeq;
  // Entries that got lost on the way are never sent again on this link.
  if (missing && nowMs - state.progressMs > rules.timeoutMs) return giveUp(state, 'stalled', nowMs, 1, rules);
  const progressMs = missing ? state.progressMs : nowMs;
  return { state: { ...state, heartbeat: number, heardMs: nowMs, progressMs }, effects: [{ kind: 'acknowledge' }] };
};

const takeEntries: Handler<'entries_came'> = (state, event, rules) => {
  const { epoch, firstSeq, count, hashBefore, hashAfter, bytes, nowMs } = event;
  const fault = epochFault(state, epoch);
  if (fault !== null) return giveUp(state, fault, nowMs, 1, rules);
  const heard = { ...state, heardMs: nowMs };
  const lastSeq = firstSeq + count - 1;
  // Sent twice on the way: what is known is passed over, and not counted as received.
  if (lastSeq <= state.receivedSeq || state.diverged) return stay(heard);
  if (firstSeq !== state.receivedSeq + 1) return giveUp(state, 'gap', nowMs, 1, rules);
  if (hashBefore !== state.receivedHash) return giveUp(state, 'chain', nowMs, 1, rules);
  return {
    state: {
      ...heard,
      progressMs: nowMs,
      receivedSeq: lastSeq,
      receivedHash: hashAfter,
      receivedBytes: state.receivedBytes + bytes,
    },
    effects: [{ kind: 'apply' }],
  };
};

const takeChunk: Handler<'chunk_came'> = (state, { epoch, number, nowMs }, rules) => {
  const fault = epochFault(state, epoch);
  if (fault !== null) return giveUp(state, fault, nowMs, 1, rules);
  if (number < state.nextChunk) return stay({ ...state, heardMs: nowMs });
  if (number > state.nextChunk || number >= state.chunks) return giveUp(state, 'gap', nowMs, 1, rules);
  const next = { ...state, nextChunk: number + 1, heardMs: nowMs };
  if (next.nextChunk < state.chunks) return { state: next, effects: [{ kind: 'write_chunk' }] };
  return {
    state: { ...next, phase: 'installing', sinceMs: nowMs },
    effects: [{ kind: 'write_chunk' }, { kind: 'install' }],
  };
};

const COMMON = {
  failed: fail,
  stopped: stop,
  snapshot_wanted: want,
  committed: commit,
  alive: live,
  differs: differ,
  repaired: repair,
} as const;
const NO_MESSAGES = {
  continued: unexpected,
  snapshot_promised: unexpected,
  head_came: unexpected,
  chunk_came: unexpected,
  entries_came: unexpected,
  heartbeat_came: unexpected,
} as const;
/** Between two links late messages of the old one mean nothing. */
const LATE = {
  connected: stay,
  continued: stay,
  snapshot_promised: stay,
  head_came: stay,
  chunk_came: stay,
  entries_came: stay,
  heartbeat_came: stay,
} as const;

/** Every event in every phase; a missing cell does not compile. */
const TABLE: { readonly [Phase in ReplicaPhase]: Row } = {
  waiting: {
    ...COMMON,
    ...LATE,
    failed: stay,
    ticked: (state, { nowMs }) =>
      nowMs < state.retryAtMs
        ? stay(state)
        : { state: { ...state, phase: 'connecting', sinceMs: nowMs }, effects: [{ kind: 'connect' }] },
  },
  connecting: {
    ...COMMON,
    ...NO_MESSAGES,
    connected: (state, { nowMs }) => stay({ ...state, phase: 'greeting', sinceMs: nowMs, heardMs: nowMs }),
    ticked: tickGreeting,
  },
  greeting: {
    ...COMMON,
    ...NO_MESSAGES,
    connected: unexpected,
    ticked: tickGreeting,
    continued: (state, { epoch, seq, hash, nowMs }, rules) => {
      if (epoch < state.epoch) return giveUp(state, 'old_epoch', nowMs, 1, rules);
      const begun = { receivedSeq: seq, receivedHash: hash, durableSeq: seq, receivedBytes: 0, heartbeat: 0 };
      const next: ReplicaState = {
        ...state,
        ...begun,
        phase: 'following',
        epoch,
        sinceMs: nowMs,
        heardMs: nowMs,
        progressMs: nowMs,
      };
      return { state: next, effects: [{ kind: 'acknowledge' }] };
    },
    snapshot_promised: (state, { epoch, nowMs }, rules) => {
      if (epoch < state.epoch) return giveUp(state, 'old_epoch', nowMs, 1, rules);
      return stay({ ...state, phase: 'snapshot', epoch, chunks: 0, nextChunk: 0, sinceMs: nowMs, heardMs: nowMs });
    },
  },
  snapshot: {
    ...COMMON,
    ...NO_MESSAGES,
    connected: unexpected,
    ticked: tickFollowing,
    heartbeat_came: takeHeartbeat,
    chunk_came: takeChunk,
    head_came: (state, { epoch, chunks, nextChunk, nowMs }, rules) => {
      const fault = epochFault(state, epoch);
      if (fault !== null) return giveUp(state, fault, nowMs, 1, rules);
      const next: ReplicaState = { ...state, chunks, nextChunk, heardMs: nowMs };
      if (nextChunk < chunks) return stay(next);
      return { state: { ...next, phase: 'installing', sinceMs: nowMs }, effects: [{ kind: 'install' }] };
    },
  },
  installing: {
    ...COMMON,
    ...LATE,
    ticked: stay,
  },
  following: {
    ...COMMON,
    ...NO_MESSAGES,
    connected: unexpected,
    ticked: tickFollowing,
    heartbeat_came: takeHeartbeat,
    entries_came: takeEntries,
  },
  stopped: {
    ...LATE,
    ticked: stay,
    committed: commit,
    alive: stay,
    differs: stay,
    repaired: stay,
    failed: stay,
    snapshot_wanted: stay,
    stopped: stay,
  },
};

export function replicaStep(state: ReplicaState, event: ReplicaEvent, rules: ReplicaRules): ReplicaStep {
  const handle = TABLE[state.phase][event.kind] as (state: ReplicaState, event: ReplicaEvent, rules: ReplicaRules) => ReplicaStep;
  return handle(state, event, rules);
}
