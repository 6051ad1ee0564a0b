/** The gate of writes: how many nodes a write needs when it does not say, and when none is let through. */

import * as assert from 'uvu/assert';
import type { SkeinError } from '../../src/model/errors.js';
import { type GateRules, WriteGate } from '../../src/node/write-gate.js';
import type { ReplicaRegistry } from '../../src/replication/replica-registry.js';
import { WriteConcern } from '../../src/replication/write-concern.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('node/write-gate');

class Door {
  nowMs = 0;
  master = true;
  voters = 1;
  healthy = 0;
  readonly concern = new WriteConcern();
  readonly gate: WriteGate;

  constructor(rules: Partial<GateRules> = {}) {
    const registry = { concern: this.concern, healthyVoters: () => this.healthy } as unknown as ReplicaRegistry;
    this.gate = new WriteGate({
      rules: { defaultW: 'auto', minReplicas: 0, minReplicasMaxLagMs: 1_000, ...rules },
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      registry,
      isMaster: () => this.master,
      voters: () => this.voters,
    });
  }
}

const refusal = (step: Promise<void>): Promise<SkeinError | null> =>
  step.then(
    () => null,
    (error: SkeinError) => error,
  );

test('without a word of its own a write needs a majority from three voters on, else one; or what was configured', () => {
  const needed = (defaultW: GateRules['defaultW']): number[] =>
    [1, 2, 3, 4, 5].map((voters) => Object.assign(new Door({ defaultW }), { voters }).gate.defaultRequired());
  assert.equal(needed('auto'), [1, 1, 2, 3, 3]);
  assert.equal(needed('majority'), [1, 2, 2, 3, 3]);
  assert.equal(needed(2), [2, 2, 2, 2, 2]);
});

test('while the gate is closed writes wait; they go on when it opens, or when its time is over', async () => {
  const opens = (door: Door): void => door.gate.open();
  const expires = (door: Door): void => {
    door.nowMs = 500;
  };
  for (const end of [opens, expires]) {
    const door = new Door();
    door.gate.pause(500);
    let through = false;
    const write = door.gate.admit().then(() => {
      through = true;
    });
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.not(through);
    end(door);
    await waitUntil(() => through, { what: 'the write' });
    await write;
  }
});

test('while two masters claim one epoch nothing is written or acknowledged, and every wait is over', async () => {
  const door = new Door();
  const waiting = door.gate.wait(5, 2, 20_000);
  door.gate.refuse(7);
  assert.is(await waiting, 1);
  assert.is((await refusal(door.gate.admit()))?.type, 'NoMaster');
  assert.not(door.gate.mayAcknowledge());
  assert.is(door.gate.conflict, 7);
  door.gate.pause(1_000);
  door.gate.resume();
  assert.is((await refusal(door.gate.admit()))?.type, 'NoMaster', 'the end of a pause does not decide between two masters');
  door.gate.open();
  assert.is(await refusal(door.gate.admit()), null);
  assert.ok(door.gate.mayAcknowledge());
});

test('a node that is no master acknowledges nothing', () => {
  const door = new Door();
  door.master = false;
  assert.not(door.gate.mayAcknowledge());
});

test('fewer healthy replicas than writes ask for refuse them, and say how many there are', async () => {
  const door = new Door({ minReplicas: 2 });
  door.healthy = 1;
  const error = await refusal(door.gate.admit());
  assert.is(error?.type, 'Overloaded');
  assert.equal(error?.details, { reason: 'min_replicas', required: 2, healthy: 1 });
  door.healthy = 2;
  assert.is(await refusal(door.gate.admit()), null);
});

test.run();
