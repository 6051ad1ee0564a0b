/** The guards of a node put together: looks at the process a few times a second, lets the machines of src/resilience decide, and tells the
 *  engine, HTTP, metrics and health.
 *
 *    every 250 ms  event loop ─► share of requests that is refused
 *    every second  memory ─► caches cleared, writes refused       handles ─► connections and threads refused
 *
 *  Must not know: routes, what an engine keeps. */

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Config } from '../config/config.js';
import type { EngineGuards, RunningEngine } from '../engine/engine.js';
import type { GuardService } from '../http/http.js';
import { SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { GuardFigures } from '../observability/guard-measures.js';
import { HandleGuard, tooManyOpenFiles } from '../resilience/handle-guard.js';
import { MemoryGuard, type MemoryState } from '../resilience/memory-guard.js';
import { handleReading, memoryThereIs, residentBytes } from '../resilience/process-readings.js';
import { LOOK_MS, ShedShare } from '../resilience/shed-share.js';

const AUTO_MEMORY_SHARE = 0.9;
/** Looks at the loop for one at the process. */
const PROCESS_EVERY = 4;
/** Cleared caches are seen in what is resident after about so long. */
const AFTER_RELIEF_MS = 200;
const LOOP_RESOLUTION_MS = 20;
const NANOSECONDS_PER_MS = 1e6;

export interface GuardingParts {
  readonly settings: Config['guards'];
  readonly log: Log;
  /** Null until it is open. */
  engine(): RunningEngine | null;
  /** Ends connections that hold a handle and have asked for nothing. */
  cutSilent(): void;
}

export class Guarding implements GuardService {
  readonly #parts: GuardingParts;
  readonly #memory: MemoryGuard;
  readonly #handles: HandleGuard;
  readonly #share: ShedShare;
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #shed: Record<'event_loop' | 'search_queue' | 'memory' | 'handles', number>;
  #timers: NodeJS.Timeout[] = [];
  #loopDelayMs = 0;
  #looks = 0;
  #wasShort = false;
  #looking = false;
  draining = false;

  constructor(parts: GuardingParts) {
    this.#parts = parts;
    const { maxMemoryBytes: memory, maxHandles: handles, shedLoopDelayMs } = parts.settings;
    const auto = Math.floor(memoryThereIs() * AUTO_MEMORY_SHARE);
    this.#memory = new MemoryGuard(memory === 'off' ? null : memory === 'auto' ? auto : memory);
    this.#handles = new HandleGuard(handles === 'auto' ? null : handles);
    this.#share = new ShedShare({ delayMaxMs: shedLoopDelayMs });
    this.#shed = { event_loop: 0, search_queue: 0, memory: 0, handles: 0 };
  }

  start(): void {
    this.#loop.enable();
    void this.#lookAtProcess();
    this.#timers = [setInterval(() => this.#look(), LOOK_MS).unref()];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#loop.disable();
  }

  // What the engine asks.

  get forEngine(): EngineGuards {
    return {
      admitGrowth: () => this.#admitGrowth(),
      acquireHandles: (count) => this.#handles.acquire(count),
      queueWaitMs: this.#parts.settings.shedQueueWaitMs,
    };
  }

  #admitGrowth(): void {
    if (this.#memory.refusal() !== null) this.#shed.memory += 1;
    this.#memory.admitGrowth();
  }

  // What HTTP asks.

  refusal(work: Parameters<GuardService['refusal']>[0]): SkeinError | null {
    if (this.#share.next()) return this.#refuse('event_loop', 'More is asked for than can be answered in time; nothing was done');
    if (work === 'search' && this.#parts.engine()?.searchesAreFull === true)
      return this.#refuse('search_queue', 'Too many searches are waiting; nothing was done');
    if (work !== 'write') return null;
    const full = this.#memory.refusal();
    if (full !== null) this.#shed.memory += 1;
    return full;
  }

  #refuse(reason: 'event_loop' | 'search_queue', message: string): SkeinError {
    this.#shed[reason] += 1;
    return new SkeinError('Overloaded', message, { reason });
  }

  connectionRefusal(): SkeinError | null {
    if (!this.#handles.isShort) return null;
    this.#shed.handles += 1;
    return tooManyOpenFiles();
  }

  // What is told of them.

  concerns(): string[] {
    const found: string[] = [];
    if (this.#memory.state === 'full') found.push('the memory limit is reached: writes are refused');
    if (this.#handles.isShort) found.push('hardly a file handle is left: new connections are refused');
    if (this.#share.share > 0) found.push('the event loop runs late: a share of the requests is refused');
    return found;
  }

  figures(): GuardFigures {
    const { limit } = this.#handles;
    return {
      memoryLimitBytes: this.#memory.limitBytes,
      memoryFull: this.#memory.state === 'full',
      memoryReliefs: this.#memory.reliefs,
      handlesOpen: Number.isFinite(limit) ? this.#handles.open : null,
      handlesLimit: Number.isFinite(limit) ? limit : null,
      loopDelayMs: this.#loopDelayMs,
      shedShare: this.#share.share,
      shed: this.#shed,
    };
  }

  #look(): void {
    this.#lookAtLoop();
    this.#looks += 1;
    // Who was refused is taken again as soon as there is room.
    if (this.#handles.isShort || this.#looks % PROCESS_EVERY === 0) void this.#lookAtProcess();
  }

  #lookAtLoop(): void {
    const nanoseconds = this.#loop.count === 0 ? 0 : this.#loop.percentile(50);
    this.#loopDelayMs = Math.max(0, nanoseconds / NANOSECONDS_PER_MS - LOOP_RESOLUTION_MS);
    this.#loop.reset();
    const before = this.#share.share;
    this.#share.look(this.#loopDelayMs);
    if ((before === 0) === (this.#share.share === 0)) return;
    const event = before === 0 ? 'shedding_began' : 'shedding_ended';
    this.#parts.log.warn(event, { loop_delay_ms: Math.round(this.#loopDelayMs), refused: this.#shed.event_loop });
  }

  async #lookAtProcess(): Promise<void> {
    // A look that takes long, as when no thread is free to read, is not doubled.
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.#noteHandles(await handleReading());
      await this.#lookAtMemory();
    } finally {
      this.#looking = false;
    }
  }

  #noteHandles(reading: Awaited<ReturnType<typeof handleReading>>): void {
    if (reading === null) return;
    this.#handles.look(reading);
    const { isShort, open, limit } = this.#handles;
    if (isShort !== this.#wasShort) this.#parts.log.warn(isShort ? 'handles_short' : 'handles_left_again', { open, limit });
    this.#wasShort = isShort;
    // Also when no handle is left to take a connection with.
    if (isShort) this.#parts.cutSilent();
  }

  async #lookAtMemory(): Promise<void> {
    if (this.#memory.limitBytes === null) return;
    if (!(await this.#tellMemory())) return;
    this.#parts.engine()?.relieve();
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, AFTER_RELIEF_MS));
    await this.#tellMemory();
  }

  /** @returns whether caches are to be cleared now */
  async #tellMemory(): Promise<boolean> {
    const used = await residentBytes();
    if (used === null) return false;
    const before = this.#memory.state;
    const relieve = this.#memory.look(used, performance.now());
    this.#noteMemory(before);
    return relieve;
  }

  #noteMemory(before: MemoryState): void {
    const { state, usedBytes, limitBytes } = this.#memory;
    if (state === before) return;
    const fields = { used_bytes: usedBytes, limit_bytes: limitBytes };
    if (state === 'full') this.#parts.log.warn('memory_full', fields);
    else if (before === 'full') this.#parts.log.warn('memory_free_again', fields);
    else this.#parts.log.info(state === 'relieved' ? 'memory_relieved' : 'memory_relief_helped', fields);
  }
}

let collect: (() => void) | null = null;

/** V8 does not give back what nobody holds until it has a reason of its own; being over the limit is one of ours. The flag makes the
 *  function known in contexts that are made after it. Cost: up to some tens of milliseconds. */
function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
