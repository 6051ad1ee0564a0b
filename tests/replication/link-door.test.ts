/** Wrong cluster keys of one network are limited, and never keep away who has shown the right one. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { LinkDoor } from '../../src/replication/link-door.js';
import type { Reject, Welcome } from '../../src/wire/frames.js';
import { suite } from '../support/suite.js';

const test = suite('replication/link-door');
const WRONG = { type: 'reject', reason: 'UNAUTHORIZED' } as Reject;
const RIGHT = { type: 'welcome' } as Welcome;

test('after thirty wrong keys a network may try once a second, and others as before', () => {
  let nowMs = 0;
  const door = new LinkDoor({ monotonicMs: () => nowMs });
  const tried = (address: string): string => {
    try {
      door.admit(address);
      door.judged(address, WRONG);
      return 'tried';
    } catch (error) {
      return error instanceof SkeinError ? error.type : 'another error';
    }
  };
  for (let i = 0; i < 30; i++) assert.is(tried(`2001:db8::${i.toString(16)}`), 'tried');
  assert.is(tried('2001:db8::ffff'), 'RateLimited');
  assert.is(tried('10.0.0.1'), 'tried');
  nowMs += 1_000;
  assert.equal([tried('2001:db8::1'), tried('2001:db8::1')], ['tried', 'RateLimited']);
  assert.is(door.wrongKeys, 32);
});

test('a network that has shown the right key comes in, whatever else is shown from it', () => {
  const door = new LinkDoor({ monotonicMs: () => 0 });
  door.judged('10.0.0.1', RIGHT);
  for (let i = 0; i < 100; i++) door.judged('10.0.0.1', WRONG);
  assert.is(door.admit('10.0.0.1'), '10.0.0.1');
  const refused = { type: 'reject', reason: 'BUSY' } as Reject;
  for (let i = 0; i < 100; i++) door.judged('10.0.0.2', WRONG);
  door.judged('10.0.0.2', refused);
  assert.is(door.admit('10.0.0.2'), '10.0.0.2', 'a refusal for another reason came after the right key');
});

test.run();
