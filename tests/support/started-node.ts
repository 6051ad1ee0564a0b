/** A node in this process, and a client of it that tries once; both end with the test. */

import { loadConfig } from '../../src/config/config.js';
import { silentProcessLog } from '../../src/model/log.js';
import { type Node, startNode } from '../../src/node/node.js';
import { SkeinClient } from '../../src/sdk/index.js';
import type { TestContext } from './suite.js';

export interface StartedNode {
  readonly node: Node;
  readonly client: SkeinClient;
}

/** On a free port. @param flags as the command line has them */
export async function startedNode(
  t: TestContext,
  dataDir: string,
  flags: Readonly<Record<string, string | boolean>> = {},
): Promise<StartedNode> {
  const given = { dataDir, port: '0', ...flags };
  const { config } = loadConfig({ flags: given, environment: {}, workingDir: dataDir });
  const node = await startNode({ config, shownConfig: {}, log: silentProcessLog, onFatal: () => {} });
  t.after(() => node.stop());
  const client = new SkeinClient({ url: node.url, retries: false });
  t.after(() => client.close());
  return { node, client };
}
