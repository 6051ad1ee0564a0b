/** A master tells the voters that are not linked to it that it is there, every few seconds, so that a node that missed a change of
 *  mastership learns of it, and so that two masters learn of each other. Must not know: what follows from an answer. */

import type { ReplicatedLog } from '../engine/engine.js';
import { invalidRequest } from '../model/errors.js';
import type { Role } from '../model/replication.js';
import { type ProbeParts, probe } from '../replication/probe.js';
import { standingOf } from '../replication/standing.js';
import type { Reject, Welcome } from '../wire/frames.js';
import { httpUrlOf, streamUrlOf } from './master-url.js';

export interface AnnouncerParts extends Pick<ProbeParts, 'keys' | 'tls' | 'software'> {
  readonly runId: string;
  readonly secure: boolean;
  /** Null unless this node is a master with data, whose epoch has begun. */
  master(): ReplicatedLog | null;
  linkedIds(): readonly string[];
  address(): { readonly host: string; readonly port: number };
  masterUrl(): string | null;
  onNewerEpoch(epoch: number, masterUrl: string | null): void;
  onConflict(epoch: number, nodeId: string): void;
}

const EVERY_MS = 2_000;
const TIMEOUT_MS = 2_000;

export class Announcer {
  readonly #parts: AnnouncerParts;
  readonly #timer: NodeJS.Timeout;
  #running = false;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.announce(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Resolves when all have answered, or not. */
  async announce(): Promise<void> {
    const log = this.#parts.master();
    if (log === null || this.#running) return;
    this.#running = true;
    try {
      await this.#tellMissing(log);
    } finally {
      this.#running = false;
    }
  }

  async #tellMissing(log: ReplicatedLog): Promise<void> {
    const linked = new Set(this.#parts.linkedIds());
    const own = log.state().nodeId;
    const missing = log.voters().filter(({ nodeId }) => nodeId !== own && !linked.has(nodeId));
    // An address that cannot be one is a node that cannot be reached.
    const tell = (host: string, port: number) =>
      this.#tell(httpUrlOf(host, port, this.#parts.secure), log).catch(() => undefined);
    await Promise.all(missing.map(({ host, port }) => tell(host, port)));
  }

  async #tell(url: string, log: ReplicatedLog): Promise<void> {
    const { nodeId, clusterId, epoch } = log.state();
    const answer = await this.ask(url, log, 'master');
    if (answer === null || answer.clusterId !== clusterId || this.#parts.master() !== log) return;
    // It has begun another meanwhile, and asks anew soon.
    if (log.state().epoch !== epoch) return;
    if (answer.epoch > epoch) this.#parts.onNewerEpoch(answer.epoch, answer.masterUrl);
    else if (answer.type === 'welcome' && answer.role === 'master' && answer.epoch === epoch && answer.nodeId !== nodeId)
      this.#parts.onConflict(epoch, answer.nodeId);
  }

  /** A node that cannot be followed is refused before anything changes; a master gives up its role only to one that answers.
   *  @throws InvalidRequest */
  async mustBeFollowable(masterUrl: string, log: ReplicatedLog, isMaster: boolean): Promise<void> {
    const answer = await this.ask(masterUrl, log, 'replica');
    const { epoch } = log.state();
    const { clusterId } = standingOf(log);
    const refuse = (why: string): never => {
      throw invalidRequest('master_url', why);
    };
    if (answer === null) {
      if (isMaster) refuse('no node answers there that holds the same cluster key');
      return;
    }
    if (clusterId !== null && answer.clusterId !== null && answer.clusterId !== clusterId)
      refuse(`that node belongs to cluster ${answer.clusterId}, this one to ${clusterId}`);
    if (answer.type === 'reject' && answer.reason === 'LOOP') refuse(`that node refuses: ${answer.message}`);
    if (clusterId !== null && answer.epoch < epoch) refuse(`that node is of epoch ${answer.epoch}, this one of ${epoch}`);
  }

  /** Asks a node who it is. @param role as which this node asks @returns null when it does not say so in time, or may not be believed */
  ask(url: string, log: ReplicatedLog, role: Role): Promise<Welcome | Reject | null> {
    const { keys, tls, software, runId } = this.#parts;
    return probe({
      streamUrl: streamUrlOf(url).stream,
      keys,
      tls,
      software,
      timeoutMs: TIMEOUT_MS,
      hello: {
        ...standingOf(log),
        runId,
        ...this.#parts.address(),
        voter: false,
        role,
        highestEpoch: log.state().epoch,
        wants: null,
        resume: null,
        installed: null,
        masterUrl: this.#parts.masterUrl(),
      },
    }).catch(() => null);
  }
}
