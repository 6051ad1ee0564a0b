/** The answers to a caller, without sockets: every refusal says whose word it is, and only who has proven itself moves this node. */

import * as assert from 'uvu/assert';
import type { ReplicatedLog } from '../../src/engine/engine.js';
import { silentLog } from '../../src/model/log.js';
import type { Role } from '../../src/model/replication.js';
import { Greeter } from '../../src/replication/greeting.js';
import { checkProof, makeProof } from '../../src/replication/proof.js';
import type { Hello, Reject, Welcome } from '../../src/wire/frames.js';
import { CLUSTER, FakeLog, HISTORY, hashAt, NODE } from '../support/fake-log.js';
import { HELLO } from '../support/hello.js';
import { suite } from '../support/suite.js';

const test = suite('replication/greeting');

const KEY = Buffer.from('the key of the cluster');
const NONCES = { replica: '5'.repeat(32), master: '6'.repeat(32) };
const CALLER = 'b'.repeat(32);
const ELSEWHERE = '9'.repeat(32);
const MASTER_URL = 'http://master.example:7171';

const position = (seq: number, more = {}) => ({ historyId: HISTORY, epoch: 3, seq, hash: hashAt(seq).toString('hex'), ...more });

/** A node that answers, and what it was told. */
class Answering {
  readonly fake = new FakeLog();
  readonly told: string[] = [];
  feed: ReplicatedLog | null = this.fake.log;
  role: Role = 'master';
  keys: readonly Uint8Array[] = [KEY];
  linked = new Set<string>();
  snapshotBytes = 1;
  whileMeasured: () => void = () => {};

  get greeter(): Greeter {
    return new Greeter({
      rules: { windowBytes: 1, heartbeatMs: 2, timeoutMs: 3, openingMs: 4 },
      log: silentLog,
      keys: this.keys,
      runId: 'd'.repeat(32),
      software: 'test',
      feed: () => this.feed,
      role: () => this.role,
      path: () => [NODE],
      masterUrl: () => MASTER_URL,
      snapshotBytes: () => this.snapshotBytes,
      linkedBeside: () => {
        this.whileMeasured();
        return this.linked;
      },
      damagedSeq: () => 0,
      damaged: (seq) => void this.told.push(`damaged ${seq}`),
      onNewerEpoch: (epoch) => void this.told.push(`newer ${epoch}`),
      onConflict: (epoch, nodeId) => void this.told.push(`conflict ${epoch} ${nodeId[0]}`),
      onLostTail: async (seq) => void this.told.push(`lost ${seq}`),
    });
  }

  async greet(hello: Partial<Hello> = {}, keys: readonly Uint8Array[] = this.keys): Promise<Welcome | Reject> {
    const own = { clusterId: CLUSTER, nodeId: CALLER, position: position(10), lineage: [] };
    const whole: Hello = { type: 'hello', ...HELLO, ...own, ...hello };
    const { nodeId, clusterId, highestEpoch: epoch } = whole;
    const proof = makeProof(keys, NONCES, { side: 'replica', nodeId, clusterId, epoch });
    return (await this.greeter.greet({ ...whole, proof }, NONCES)).answer;
  }
}

function isSigned({ nodeId, clusterId, epoch, proof }: Welcome | Reject, key = KEY): boolean {
  return proof !== '' && checkProof([key], NONCES, { side: 'master', nodeId, clusterId, epoch }, proof) !== null;
}

const word = (answer: Welcome | Reject): string => {
  if (answer.type === 'reject') return answer.reason;
  const { decision } = answer;
  return decision === null ? 'known' : decision.kind === 'continue' ? `from ${decision.fromSeq}` : decision.reason;
};

test('who is in the log goes on from it; the welcome is signed', async () => {
  const answer = await new Answering().greet();
  assert.is(word(answer), 'from 11');
  assert.ok(isSigned(answer));
});

test('every refusal of one who holds the key says whose word it is, signed with that key', async () => {
  const cases: [string, Partial<Hello>, (node: Answering) => void][] = [
    ['WRONG_CLUSTER', { clusterId: ELSEWHERE }, () => {}],
    ['STALE_MASTER', { highestEpoch: 4 }, () => {}],
    ['STALE_MASTER', { position: position(10, { historyId: ELSEWHERE }) }, () => {}],
    ['LOOP', { nodeId: NODE }, () => {}],
    ['DUPLICATE_NODE', {}, (node) => node.linked.add(CALLER)],
    ['BUSY', { position: position(21) }, () => {}],
  ];
  for (const [reason, hello, arrange] of cases) {
    const node = new Answering();
    node.keys = [Buffer.from('the newer key'), KEY];
    arrange(node);
    const answer = await node.greet(hello, [KEY]);
    assert.is(word(answer), reason);
    assert.ok(isSigned(answer), `${reason} is not signed`);
    if (answer.type !== 'reject') continue;
    assert.equal([answer.clusterId, answer.nodeId, answer.epoch, answer.masterUrl], [CLUSTER, NODE, 3, MASTER_URL]);
  }
});

test('a stranger gets a refusal without a proof, and nothing it says is believed', async () => {
  const node = new Answering();
  const answer = await node.greet({ highestEpoch: 99, kind: 'probe', role: 'master' }, [Buffer.from('another key')]);
  assert.is(word(answer), 'UNAUTHORIZED');
  assert.is(answer.proof, '');
  if (answer.type === 'reject')
    assert.equal([answer.clusterId, answer.nodeId, answer.epoch, answer.masterUrl], [null, '0'.repeat(32), 0, null]);
  assert.equal(node.told, []);
});

test('a node without data, or whose data is replaced while it looks, asks to come again', async () => {
  const blank = new Answering();
  blank.feed = null;
  const answer = await blank.greet();
  assert.is(word(answer), 'NOT_SERVING');
  assert.is(answer.clusterId, null);
  assert.ok(isSigned(answer));
  const moving = new Answering();
  moving.fake.logBytes = 2 ** 30;
  moving.whileMeasured = () => {
    moving.feed = null;
  };
  assert.is(word(await moving.greet()), 'NOT_SERVING');
});

test('a version that is not spoken is refused, one within the range is challenged', () => {
  const { greeter } = new Answering();
  const open = { type: 'open', magic: 'skein', nonce: NONCES.replica, software: 's' } as const;
  assert.is(greeter.challenge({ ...open, protoMin: 1, protoMax: 9 }).type, 'challenge');
  for (const [protoMin, protoMax] of [
    [2, 9],
    [0, 0],
  ] as const)
    assert.is(greeter.challenge({ ...open, protoMin, protoMax }).type, 'reject');
});

test('what a caller without a cluster saw elsewhere demotes nobody', async () => {
  const node = new Answering();
  assert.is(word(await node.greet({ clusterId: null, position: null, highestEpoch: 99 })), 'no_position');
  assert.is(
    word(await node.greet({ clusterId: null, position: null, highestEpoch: 99, kind: 'probe', role: 'master' })),
    'known',
  );
  assert.equal(node.told, []);
});

test('a newer epoch, another line of data and a lost tail are told', async () => {
  const cases: [Partial<Hello>, string][] = [
    [{ highestEpoch: 4 }, 'newer 4'],
    [{ position: position(10, { historyId: ELSEWHERE }) }, 'conflict 3 b'],
    [{ position: position(21) }, 'lost 21'],
    [{ position: position(21), kind: 'probe' }, ''],
  ];
  for (const [hello, told] of cases) {
    const node = new Answering();
    await node.greet(hello);
    assert.is(node.told.join(), told);
  }
});

test('a damaged row leads to a snapshot, and to a word of it', async () => {
  const node = new Answering();
  node.fake.damagedSeq = 12;
  assert.is(word(await node.greet({ position: position(12) })), 'log_pruned');
  assert.equal(node.told, ['damaged 12']);
  assert.is(word(await node.greet({ position: position(13) })), 'from 14');
});

test('a master that announces itself is heard: newer by all, of the same epoch by a replica as its master, by a master as a conflict', async () => {
  const announce: Partial<Hello> = { kind: 'probe', role: 'master', position: position(20) };
  const heard = async (role: Role, hello: Partial<Hello>): Promise<string[]> => {
    const node = new Answering();
    node.role = role;
    await node.greet({ ...announce, ...hello });
    return [...new Set(node.told)];
  };
  assert.equal(await heard('master', { highestEpoch: 4 }), ['newer 4']);
  assert.equal(await heard('replica', { highestEpoch: 4 }), ['newer 4']);
  assert.equal(await heard('replica', {}), ['newer 3']);
  assert.equal(await heard('master', {}), ['conflict 3 b']);
  assert.equal(await heard('master', { highestEpoch: 2 }), []);
  assert.equal(await heard('master', { role: 'replica' }), []);
  assert.equal(await heard('master', { clusterId: ELSEWHERE, highestEpoch: 9 }), []);
  assert.equal(await heard('master', { nodeId: NODE }), [], 'a node does not conflict with itself');
});

test('a probe is told who this is, and is served nothing', async () => {
  const answer = await new Answering().greet({ kind: 'probe' });
  assert.is(word(answer), 'known');
  assert.ok(isSigned(answer));
});

test.run();
