/** From the network to decoded data: takes the bytes, then reads them here when they are few, in the body thread when they are many. */

import type { FastifyRequest } from 'fastify';
import type { Clock } from '../model/clock.js';
import { FIXED } from '../model/limits.js';
import { NoBody } from '../wire/body-parts.js';
import type { BodyForm } from '../wire/body-reader.js';
import { bodyCheck } from '../wire/check-body.js';
import { type BodyTask, type Decoded, decodeBody } from '../wire/decode-body.js';
import { BodyIntake, type IntakeLimits } from './body-intake.js';
import { bodyForm, hasBody } from './body-type.js';
import { BodyWorker } from './body-worker.js';

export class Bodies {
  readonly #intake: BodyIntake;
  readonly #worker = new BodyWorker();

  constructor(limits: IntakeLimits, clock: Clock) {
    this.#intake = new BodyIntake(limits, clock);
  }

  /** For metrics. */
  status(): { readonly jobs: number; readonly heldBytes: number } {
    return { jobs: this.#worker.jobs, heldBytes: this.#intake.heldBytes };
  }

  /** Reads the body of a request. A request without one counts as `{}`: its schema says what is missing.
   *  @throws as BodyIntake.take and decodeBody · Overloaded */
  async read<Task extends BodyTask>(request: FastifyRequest, task: Task): Promise<Decoded<Task>> {
    const { headers } = request.raw;
    if (!hasBody(headers)) return decodeBody(EMPTY_OBJECT, 'json', task);
    const form = bodyForm(headers);
    const { bytes, release } = await this.#intake.take(request.raw);
    try {
      if (bytes.length <= FIXED.inlineBodyBytesMax) return decodeBody(bytes, form, task);
      return (await this.#worker.decode(bytes as Buffer<ArrayBuffer>, form, task)).decoded;
    } finally {
      release();
    }
  }

  /** For a route that takes no body: nothing and `{}` are none, and what says more is not passed over.
   *  @throws InvalidRequest naming its fields · as BodyIntake.take and decodeBody */
  async mustBeEmpty(request: FastifyRequest): Promise<void> {
    const { headers } = request.raw;
    if (!hasBody(headers)) return;
    const { bytes, release } = await this.#intake.take(request.raw, FIXED.needlessBodyBytesMax);
    try {
      if (bytes.length > 0) checkEmpty(decodeBody(bytes, bodyForm(headers), { kind: 'plain' }));
    } finally {
      release();
    }
  }

  /** Decodes bytes that were taken elsewhere (the chunks of an import). The bytes are given away and come back. */
  async decode<Task extends BodyTask>(
    bytes: Uint8Array<ArrayBuffer>,
    form: BodyForm,
    task: Task,
  ): Promise<{ decoded: Decoded<Task>; bytes: Uint8Array<ArrayBuffer> }> {
    if (bytes.length <= FIXED.inlineBodyBytesMax) return { decoded: decodeBody(bytes, form, task), bytes };
    return this.#worker.decode(bytes, form, task);
  }

  async close(): Promise<void> {
    this.#intake.close();
    await this.#worker.close();
  }
}

const EMPTY_OBJECT = Buffer.from('{}');
const checkEmpty = bodyCheck(NoBody);
