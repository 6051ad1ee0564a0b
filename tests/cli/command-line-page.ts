/** Writes the tables of docs/CLI.md from the tree of commands and the exit codes. Run it after a change of a command:
 *
 *    npm run build && node dist/tests/cli/command-line-page.js --write
 *
 *  tests/cli/command-line-page.test.ts holds the page to them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allCommands, type CommandNode } from '../../src/cli/completion/command-tree.js';
import { programTree } from '../../src/cli/program.js';
import { EXIT, EXIT_MEANINGS } from '../../src/cli/surroundings.js';

/** From dist/tests/cli/ to the folder of the project. */
export const PAGE_PATH = fileURLToPath(new URL('../../../docs/CLI.md', import.meta.url));

/** The page with its tables as they must be. */
export function commandLinePage(page: string): string {
  return withPart(withPart(page, 'commands', commandTable()), 'exit codes', exitTable());
}

function withPart(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: written by tests/cli/command-line-page.ts -->\n`, `<!-- end of ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/CLI.md has lost the marks around its ${name}`);
  return `${page.slice(0, from)}${begin}${text}${page.slice(to)}`;
}

function commandTable(): string {
  const leaves = allCommands(programTree()).filter(({ path, commands }) => path !== '' && commands.length === 0);
  const rows = leaves.map(
    (command) => `| \`${usageOf(command)}\` | ${command.description.replaceAll('|', '\\|')} | ${flagsOf(command)} |`,
  );
  return `| command | what it does | flags of its own |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function usageOf({ path, arguments: given }: CommandNode): string {
  const words = given.map(({ name, required, variadic }) => {
    const word = `${name.toUpperCase()}${variadic ? '…' : ''}`;
    return required ? word : `[${word}]`;
  });
  return ['skein', path, ...words].join(' ');
}

/** What nearly every command has is said once, above the table. */
const COMMON = ['--url', '--api-key', '--api-key-file', '--timeout-ms', '--json', '--no-json'];

function flagsOf({ path, flags }: CommandNode): string {
  if (path === 'serve') return 'every setting of the server ([CONFIGURATION.md](CONFIGURATION.md))';
  const own = flags.filter(({ flag, hidden }) => !hidden && !COMMON.includes(flag)).map(({ flag }) => `\`${flag}\``);
  return own.length === 0 ? '–' : own.join(' ');
}

function exitTable(): string {
  const words = Object.keys(EXIT) as (keyof typeof EXIT)[];
  return `| exit code | it means |\n|---|---|\n${words.map((word) => `| ${EXIT[word]} | ${EXIT_MEANINGS[word]} |`).join('\n')}\n`;
}

if (process.argv.includes('--write')) writeFileSync(PAGE_PATH, commandLinePage(readFileSync(PAGE_PATH, 'utf8')));
