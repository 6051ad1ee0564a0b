/** The command line: `skein <command>`, its flags and its exit codes (docs/CLI.md).
 *
 *  Invariant: every command ends in one of the four exit codes; nothing here ends the process. Must not know: how commands work. */

import { Argument, Command, CommanderError } from 'commander';
import {
  BACKUP_COMMAND_FIELDS,
  COMMAND_SECTIONS,
  FOLLOW_FIELDS,
  LOGS_FIELDS,
  MCP_FIELDS,
  PROMOTE_FIELDS,
  RESTORE_FIELDS,
  RESYNC_FIELDS,
  SERVE_COMMAND_FIELDS,
  STATUS_FIELDS,
  TOP_FIELDS,
  VERIFY_FIELDS,
  WAIT_FIELDS,
} from '../config/command-fields.js';
import { loadCommandFields } from '../config/config.js';
import { type FieldTable, flagOf, type ValuesOf } from '../config/field.js';
import { PROBE_FIELDS } from '../config/probe-fields.js';
import { SERVER_SECTIONS } from '../config/server-fields.js';
import { silentProcessLog } from '../model/log.js';
import { version } from '../node/version.js';
import type { CommandWords } from './command-words.js';
import { type CommandNode, commandTree } from './completion/command-tree.js';
import { addDataCommands } from './data-program.js';
import { reportFailure, UsageError } from './failure.js';
import { addFields, flagsOf, plainSwitches } from './field-options.js';
import { addKeyCommands } from './keys-program.js';
import { type ServeParts, serve } from './serve.js';
import { EXIT, EXIT_MEANINGS, type ExitCode, print, type Surroundings } from './surroundings.js';

/** What every command has. */
const SWITCHES = [...SERVER_SECTIONS, ...COMMAND_SECTIONS].map(({ fields }) => fields);

/** Runs one command line (without node and script).
 *  @returns the exit code; whatever went wrong has been said */
export async function runCommand(argv: readonly string[], surroundings: Surroundings, parts: ServeParts): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const program = buildProgram(surroundings, parts, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(plainSwitches(argv, SWITCHES), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportFailure(error, surroundings);
    // The parser has said what is wrong; help and version are no mistakes.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

/** The words of every command, as data. */
export function programTree(): CommandNode {
  const nowhere = { write: () => true, once: () => undefined };
  const surroundings: Surroundings = {
    ...{ environment: {}, workingDir: '.', output: nowhere, errors: nowhere, stopping: new AbortController().signal },
    protocolStreams: () => {
      throw new Error('nothing is run');
    },
  };
  const parts: ServeParts = { makeLog: () => silentProcessLog, onFatal: () => undefined };
  return treeOf(buildProgram(surroundings, parts, () => undefined));
}

function treeOf(program: Command): CommandNode {
  return commandTree(program, (flag, path) => {
    const sections = path === 'serve' ? [...SERVER_SECTIONS, ...COMMAND_SECTIONS] : COMMAND_SECTIONS;
    const tables = sections.filter(({ title }) => path === 'serve' || title === `skein ${path}`).map(({ fields }) => fields);
    const field = tables.flatMap((fields) => Object.entries(fields)).find(([key]) => flagOf(key) === flag)?.[1];
    return field?.kind === 'choice' ? field.choices : [];
  });
}

function buildProgram(surroundings: Surroundings, parts: ServeParts, ended: (code: ExitCode) => void): Command {
  const { output, errors } = surroundings;
  const program = new Command('skein')
    .description('Skein: a vector database server, and the commands that talk to it.')
    .version(version)
    .addHelpText('after', () => `\n${exitCodeLines().join('\n')}\n\nMore: docs/CLI.md`)
    .showHelpAfterError('(skein --help, or skein COMMAND --help, shows what there is)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.write(text), writeErr: (text) => errors.write(text) });

  const command = (name: string, description: string): Command =>
    program.command(name).description(description).allowExcessArguments(false).copyInheritedSettings(program);

  const words: CommandWords = { surroundings, valuesOf: (table, given) => valuesOf(table, given, surroundings), ended };

  const serving = command('serve', 'Start a server. A fresh folder needs no flag.');
  addFields(serving, SERVE_COMMAND_FIELDS);
  for (const { title, fields } of SERVER_SECTIONS) addFields(serving, fields, title);
  serving.action(async () => ended(await serve(flagsOf(serving), surroundings, parts)));

  addDataCommands(command, words);

  const status = command('status', 'Show what a server says about itself and its collections.');
  addFields(status, STATUS_FIELDS);
  status.action(async () => {
    const { showStatus } = await import('./status.js');
    ended(await showStatus(valuesOf(STATUS_FIELDS, status, surroundings), surroundings));
  });

  const watching = command(
    'top',
    'Watch nodes: role, lag, throughput, searches, memory, warnings; again and again, until Ctrl-C.',
  );
  watching.argument('[server...]', 'addresses, or NAME=ADDRESS to give them names; by default that of --url');
  addFields(watching, TOP_FIELDS);
  watching.action(async (servers: string[]) => {
    const { top } = await import('./top/top.js');
    ended(await top(servers, valuesOf(TOP_FIELDS, watching, surroundings), surroundings));
  });

  const waiting = command('wait', 'Wait until servers can serve, saying what each of them does meanwhile.');
  waiting.argument('[server...]', 'addresses, or NAME=ADDRESS to give them names; by default that of --url');
  addFields(waiting, WAIT_FIELDS);
  waiting.action(async (servers: string[]) => {
    const { waitForServers } = await import('./wait.js');
    ended(await waitForServers(servers, valuesOf(WAIT_FIELDS, waiting, surroundings), surroundings));
  });

  const probing = command('probe', 'Ask the server of this machine whether it lives or is ready; for health checks.');
  probing.addArgument(new Argument('[question]').choices(['live', 'ready']).default('ready'));
  addFields(probing, PROBE_FIELDS);
  probing.action(async (question: string) => {
    const { probe } = await import('./probe.js');
    ended(await probe(question, flagsOf(probing), surroundings));
  });

  const verifying = command('verify', 'Check a data folder while no server runs on it, or with --url compare replicas.');
  verifying.argument('[data_dir]');
  addFields(verifying, VERIFY_FIELDS);
  verifying.action(async (dataDir: string | undefined) => {
    const values = valuesOf(VERIFY_FIELDS, verifying, surroundings);
    ended(await verifyOneOf(dataDir, values, flagsOf(verifying), surroundings));
  });

  const promoting = command('promote', 'Make a replica the master.');
  addFields(promoting, PROMOTE_FIELDS);
  promoting.action(async () => {
    const { promote } = await import('./replication.js');
    ended(await promote(valuesOf(PROMOTE_FIELDS, promoting, surroundings), surroundings));
  });

  const following = command('follow', 'Make a node a replica of another.');
  following.argument('<master_url>', 'ws, wss, http or https; host and port');
  addFields(following, FOLLOW_FIELDS);
  following.action(async (masterUrl: string) => {
    const { follow } = await import('./replication.js');
    ended(await follow(masterUrl, valuesOf(FOLLOW_FIELDS, following, surroundings), surroundings));
  });

  const resyncing = command('resync', 'Bring a replica to the state of its master again.');
  addFields(resyncing, RESYNC_FIELDS);
  resyncing.action(async () => {
    const { resync } = await import('./replication.js');
    ended(await resync(valuesOf(RESYNC_FIELDS, resyncing, surroundings), surroundings));
  });

  const logs = command('logs', 'Look through the logs of servers.');
  const summarizing = logs.command('summarize').description('Say what log files come to: requests, errors, slow work, starts.');
  summarizing.copyInheritedSettings(program).argument('<files...>', 'JSON lines, plain or gzip; rotated files in any order');
  addFields(summarizing, LOGS_FIELDS);
  summarizing.action(async (files: string[]) => {
    const { summarizeLogs } = await import('./logs/summarize.js');
    ended(await summarizeLogs(files, valuesOf(LOGS_FIELDS, summarizing, surroundings), surroundings));
  });

  const backingUp = command('backup', 'Make, list, verify or remove backups of a server.');
  backingUp
    .addArgument(new Argument('[action]').choices(['create', 'list', 'verify', 'remove']).default('create'))
    .argument('[id]', 'of the backup to verify or to remove');
  addFields(backingUp, BACKUP_COMMAND_FIELDS);
  backingUp.action(async (action: string, id: string | undefined) => {
    const { backup } = await import('./backup.js');
    ended(await backup(action, id, valuesOf(BACKUP_COMMAND_FIELDS, backingUp, surroundings), surroundings));
  });

  const restoring = command('restore', 'Bring data back from backups: into a new folder, or in a running server.');
  addFields(restoring, RESTORE_FIELDS);
  restoring.action(async () => {
    const { restore } = await import('./restore.js');
    ended(await restore(valuesOf(RESTORE_FIELDS, restoring, surroundings), flagsOf(restoring), surroundings));
  });

  const mcp = command('mcp', 'Offer the tools of a server to language models, over the Model Context Protocol.');
  addFields(mcp, MCP_FIELDS);
  mcp.action(async () => {
    const { offerTools } = await import('./mcp.js');
    ended(await offerTools(valuesOf(MCP_FIELDS, mcp, surroundings), surroundings));
  });

  const completing = command('completion', 'Print what a shell needs to complete the words of skein.');
  completing.addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']));
  completing.action(async (shell: string) => {
    const { completion } = await import('./completion/completion.js');
    ended(completion(shell, treeOf(program), surroundings));
  });

  addKeyCommands(command('keys', 'Access keys of a server: who may do what.'), words);
  return program;
}

function exitCodeLines(): string[] {
  const words = Object.keys(EXIT) as (keyof typeof EXIT)[];
  return ['Exit codes:', ...words.map((word) => `  ${EXIT[word]}  ${EXIT_MEANINGS[word]}`)];
}

/** A folder that is named is meant, whatever the environment says of a server. @throws UsageError */
async function verifyOneOf(
  dataDir: string | undefined,
  values: ValuesOf<typeof VERIFY_FIELDS>,
  flags: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { url } = values;
  if (dataDir === undefined && url !== null) {
    const { verifyReplicas } = await import('./verify-replicas.js');
    return verifyReplicas({ ...values, url }, surroundings);
  }
  if (dataDir === undefined) throw new UsageError('verify needs a data folder, or --url URL of a server');
  const other = ['url', 'replica', 'repair'].find((key) => flags[key] !== undefined);
  if (other !== undefined) throw new UsageError(`${flagOf(other)} is about replicas of a server: leave the data folder out`);
  const { verify } = await import('./verify.js');
  return verify(dataDir, values, surroundings);
}

/** @throws ConfigError */
function valuesOf<const Table extends FieldTable>(table: Table, command: Command, surroundings: Surroundings): ValuesOf<Table> {
  const { environment, workingDir, errors } = surroundings;
  const { values, warnings } = loadCommandFields(table, { flags: flagsOf(command), environment, workingDir });
  for (const warning of warnings) print(errors, `skein: ${warning}`);
  return values;
}
