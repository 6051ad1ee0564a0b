/** Proofs of the cluster key: good for exactly who made them, on this link, in this role. */

import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { checkProof, makeProof, type Nonces, type Speaker } from '../../src/replication/proof.js';
import { suite } from '../support/suite.js';

const test = suite('replication/proof');

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const key = fc.uint8Array({ minLength: 16, maxLength: 64 });
const nonces: fc.Arbitrary<Nonces> = fc.record({ replica: hex(32), master: hex(32) });
const speaker: fc.Arbitrary<Speaker> = fc.record({
  side: fc.constantFrom('replica' as const, 'master' as const),
  nodeId: hex(32),
  clusterId: fc.option(hex(32), { nil: null }),
  epoch: fc.nat(),
});

test('a proof is HMAC-SHA-256 over its parts, and holds for the key it was made with', () => {
  fc.assert(
    fc.property(key, nonces, speaker, (secret, both, who) => {
      const made = makeProof([secret], both, who);
      const text = `skein link 1\n${who.side}\n${both.replica}\n${both.master}\n${who.nodeId}\n${who.clusterId ?? ''}\n${who.epoch}`;
      assert.is(made, createHmac('sha256', secret).update(text).digest('hex'));
      assert.is(checkProof([secret], both, who, made), secret);
    }),
  );
});

test('any other key, nonce, side, node, cluster or epoch breaks a proof', () => {
  fc.assert(
    fc.property(key, nonces, speaker, (secret, both, who) => {
      const made = makeProof([secret], both, who);
      const otherHex = (digits: string): string => digits.replace(/^./, (first) => (first === '0' ? '1' : '0'));
      const otherKey = Uint8Array.from(secret, (byte, at) => (at === 0 ? byte ^ 1 : byte));
      const others: [Uint8Array, Nonces, Speaker][] = [
        [otherKey, both, who],
        [secret, { ...both, replica: otherHex(both.replica) }, who],
        [secret, { ...both, master: otherHex(both.master) }, who],
        [
          secret,
          { replica: both.master, master: both.replica },
          both.replica === both.master ? { ...who, epoch: who.epoch + 1 } : who,
        ],
        [secret, both, { ...who, side: who.side === 'master' ? 'replica' : 'master' }],
        [secret, both, { ...who, nodeId: otherHex(who.nodeId) }],
        [secret, both, { ...who, clusterId: who.clusterId === null ? '0'.repeat(32) : null }],
        [secret, both, { ...who, epoch: who.epoch + 1 }],
      ];
      for (const [at, [otherSecret, otherNonces, other]] of others.entries()) {
        assert.is(checkProof([otherSecret], otherNonces, other, made), null, `alteration ${at}`);
      }
    }),
  );
});

test('an altered proof is refused, at any digit and any length', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, at) => at);
  const both = { replica: 'a'.repeat(32), master: 'b'.repeat(32) };
  const who: Speaker = { side: 'replica', nodeId: 'c'.repeat(32), clusterId: null, epoch: 1 };
  const made = makeProof([secret], both, who);
  for (let at = 0; at < made.length; at++) {
    const altered = `${made.slice(0, at)}${made[at] === '0' ? '1' : '0'}${made.slice(at + 1)}`;
    assert.is(checkProof([secret], both, who, altered), null);
    assert.is(checkProof([secret], both, who, made.slice(0, at)), null);
  }
  for (const other of ['', `${made}0`, made.toUpperCase(), 'é'.repeat(32), 'é'.repeat(64)]) {
    assert.is(checkProof([secret], both, who, other), null, other);
  }
});

test('while keys are exchanged both are taken, and proofs are made with the first', () => {
  const [old, young, foreign] = [1, 2, 3].map((value) => new Uint8Array(32).fill(value)) as [Uint8Array, Uint8Array, Uint8Array];
  const both = { replica: 'a'.repeat(32), master: 'b'.repeat(32) };
  const who: Speaker = { side: 'master', nodeId: 'c'.repeat(32), clusterId: 'd'.repeat(32), epoch: 1 };
  assert.is(makeProof([young, old], both, who), makeProof([young], both, who));
  assert.is(checkProof([young, old], both, who, makeProof([old], both, who)), old);
  assert.is(checkProof([young, old], both, who, makeProof([young], both, who)), young);
  assert.is(checkProof([young, old], both, who, makeProof([foreign], both, who)), null);
});

test('without keys a proof still holds for one link only, and never where there is a key', () => {
  const both = { replica: 'a'.repeat(32), master: 'b'.repeat(32) };
  const who: Speaker = { side: 'replica', nodeId: 'c'.repeat(32), clusterId: null, epoch: 1 };
  const secret = new Uint8Array(32).fill(1);
  const made = makeProof([], both, who);
  assert.equal(checkProof([], both, who, made), new Uint8Array(0));
  assert.is(checkProof([], { ...both, replica: 'd'.repeat(32) }, who, made), null);
  assert.is(checkProof([], { ...both, master: 'd'.repeat(32) }, who, made), null);
  assert.is(checkProof([], both, who, ''), null);
  assert.is(checkProof([], both, who, makeProof([secret], both, who)), null);
  assert.is(checkProof([secret], both, who, made), null);
  assert.is(checkProof([secret], both, who, ''), null);
});

test.run();
