/** Writes the walk through the files in docs/ARCHITECTURE.md from the first sentence of each file's header. Run it after adding a file:
 *
 *    npm run docs
 *
 *  tests/house/file-walk.test.ts holds the page to the files. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const PAGE = `${PROJECT}docs/ARCHITECTURE.md`;
const BEGIN = '<!-- files:begin -->';
const END = '<!-- files:end -->';

/** The first sentence of a file's header comment. */
export function firstSentence(text: string): string {
  const header = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  const prose = header.replace(/\n[ \t]*\*[ \t]?/g, '\n').split(/\n[ \t]*\n/)[0] ?? '';
  const line = prose.replace(/\s+/g, ' ').trim();
  return /^.*?[.:](?=\s+[A-Z(]|$)/.exec(line)?.[0] ?? line;
}

function filesOf(folder: string): string[] {
  return readdirSync(`${PROJECT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|js)$/.test(name))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}

/** One table a room, in the order of the import law from the bottom up. */
export function fileWalk(): string {
  const rooms = new Map<string, string[]>();
  for (const path of filesOf('src')) {
    const room = path.split('/').length > 2 ? (path.split('/')[1] as string) : '';
    rooms.set(room, [...(rooms.get(room) ?? []), path]);
  }
  const tables = [...rooms].sort().map(([room, paths]) => {
    const rows = paths.map((path) => {
      const name = path.slice(room === '' ? 4 : 5 + room.length);
      return `| \`${name}\` | ${firstSentence(readFileSync(PROJECT + path, 'utf8')).replaceAll('|', '\\|')} |`;
    });
    return [`### src/${room}`, '', '| file | what it is |', '|---|---|', ...rows].join('\n');
  });
  return tables.join('\n\n');
}

/** The page with the walk as it should be, and as it is. */
export function architecturePage(): { wanted: string; found: string } {
  const found = readFileSync(PAGE, 'utf8');
  const begin = found.indexOf(BEGIN) + BEGIN.length;
  const end = found.indexOf(END);
  return { found, wanted: `${found.slice(0, begin)}\n${fileWalk()}\n${found.slice(end)}` };
}

if (process.argv[2] === '--write') writeFileSync(PAGE, architecturePage().wanted);
