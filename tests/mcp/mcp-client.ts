/** The protocol library's own client against `skein mcp`, as tests use it. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { PROGRAM } from '../support/server-process.js';
import type { TestContext } from '../support/suite.js';

export interface ToolResult {
  readonly isError: boolean;
  readonly text: string;
  readonly object: Readonly<Record<string, unknown>>;
}

export interface McpConversation {
  readonly client: Client;
  call(tool: string, input?: Readonly<Record<string, unknown>>): Promise<ToolResult>;
  /** The error that a tool ended with. @throws Error when it did not */
  refusal(
    tool: string,
    input?: Readonly<Record<string, unknown>>,
  ): Promise<{ type: string; message: string; retryable: boolean }>;
}

/** Starts `skein mcp` and talks to it over its standard input and output. */
export async function overStdio(
  t: TestContext,
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<McpConversation> {
  const args = [PROGRAM, 'mcp', ...flags];
  return connected(t, new StdioClientTransport({ command: process.execPath, args, env: { ...environment }, stderr: 'pipe' }));
}

/** @param url of the listener, path included */
export function overHttp(t: TestContext, url: string, headers: Readonly<Record<string, string>> = {}): Promise<McpConversation> {
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  return connected(t, transport as Parameters<Client['connect']>[0]);
}

async function connected(t: TestContext, transport: Parameters<Client['connect']>[0]): Promise<McpConversation> {
  const client = new Client({ name: 'test', version: '1' });
  t.after(() => client.close());
  await client.connect(transport);
  const call = async (name: string, input: Readonly<Record<string, unknown>> = {}): Promise<ToolResult> => {
    const { content, structuredContent, isError } = await client.callTool({ name, arguments: { ...input } });
    const [first] = content as { readonly text: string }[];
    return { isError: isError === true, text: first?.text ?? '', object: structuredContent as ToolResult['object'] };
  };
  return {
    client,
    call,
    refusal: async (name, input) => {
      const answer = await call(name, input);
      if (!answer.isError) throw new Error(`${name} was answered: ${answer.text}`);
      return (JSON.parse(answer.text) as { error: { type: string; message: string; retryable: boolean } }).error;
    },
  };
}
