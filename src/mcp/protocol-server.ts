/** One conversation of the Model Context Protocol: it shows the tools and runs them. The same for every transport.
 *
 *  The library's server speaks the protocol; inputs are held against our own schemas, by the same check as HTTP bodies, so its higher half,
 *  which wants schemas of another library, is passed over. Must not know: transports, where keys come from. */

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { messageOf } from '../model/errors.js';
import type { SkeinClient } from '../sdk/index.js';
import type { RunningCalls } from './running-calls.js';
import type { Tool, ToolAnswer } from './tool.js';
import { type ToolFailure, toolFailure } from './tool-failure.js';
import { healthTool } from './tools/health-tool.js';
import { getTool, listCollectionsTool, replicationStatusTool } from './tools/read-tools.js';
import { hybridSearchTool, searchTool } from './tools/search-tools.js';
import { deleteTool, upsertTool } from './tools/write-tools.js';

const TOOLS: readonly Tool[] = [
  healthTool,
  listCollectionsTool,
  searchTool,
  hybridSearchTool,
  getTool,
  upsertTool,
  deleteTool,
  replicationStatusTool,
];

const INSTRUCTIONS = `Skein is a vector database: collections of points, each with an id, a vector and a JSON payload.
Begin with health_check, which says whether the server works and what is wrong when it does not; use it again when another tool fails with a connection error.
list_collections shows what there is. search finds points by a vector, by a stored point or by words; hybrid_search by a vector and words together; get shows points by id.
Answers about data carry a position: give it as min_position to a later read that must see at least as much.`;

export interface ProtocolOptions {
  readonly version: string;
  /** Leave the tools out that change data. */
  readonly readOnly: boolean;
  /** As whom tools ask the server. */
  readonly client: Pick<SkeinClient, 'send'>;
  readonly calls: RunningCalls;
  /** A line for the operator; never for standard output, which belongs to the protocol. */
  report(line: string): void;
}

/** @returns a server that waits to be connected to a transport */
export function protocolServer({ version, readOnly, client, calls, report }: ProtocolOptions): McpServer {
  const tools = new Map(TOOLS.filter(({ effect }) => !readOnly || effect === 'reads').map((tool) => [tool.name, tool]));
  const server = new McpServer(
    { name: 'skein', title: 'Skein vector database', version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  server.server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...tools.values()].map(describe) }));
  server.server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const tool = tools.get(params.name);
    if (tool === undefined) return failed(unknownTool(params.name, [...tools.keys()]));
    try {
      const input = params.arguments ?? {};
      return succeeded(
        await calls.run(() => tool.run(input, (call, options) => client.send({ ...call, options: { ...options, signal } }))),
      );
    } catch (error) {
      const failure = toolFailure(error);
      if (failure !== null) return failed(failure);
      report(`the tool ${tool.name} failed: ${messageOf(error)}`);
      return failed({
        type: 'Internal',
        message: 'A defect of the MCP server; its log says more',
        details: {},
        retryable: false,
      });
    }
  });
  return server;
}

function describe({ name, title, description, input, effect }: Tool) {
  const annotations = {
    title,
    readOnlyHint: effect === 'reads',
    destructiveHint: effect !== 'reads',
    idempotentHint: true,
    openWorldHint: false,
  };
  // As JSON: the marks of the schema library are no part of it.
  const inputSchema = JSON.parse(JSON.stringify(input)) as { type: 'object' };
  return { name, title, description, inputSchema, annotations };
}

function succeeded({ text, object }: ToolAnswer): CallToolResult {
  return { content: [{ type: 'text', text: text ?? JSON.stringify(object) }], structuredContent: { ...object } };
}

function failed(error: ToolFailure): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify({ error }) }], structuredContent: { error }, isError: true };
}

function unknownTool(name: string, known: readonly string[]): ToolFailure {
  const message = `there is no tool ${JSON.stringify(name.slice(0, 128))}: there are ${known.join(', ')}`;
  return { type: 'InvalidRequest', message, details: {}, retryable: false };
}
