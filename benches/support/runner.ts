/** Runs benches one after the other, prints and writes what each found, and closes with all figures. */

import { type Bench, type Figure, holds, scale } from './bench.js';
import { describeMachine, figureTable, printResult, printTable, writeResult } from './report.js';

/** @param shown which figures the closing table has; default all
 *  @returns whether everything was measured and holds */
export async function runBenches(benches: readonly Bench[], title: string, shown: (figure: Figure) => boolean = () => true) {
  const { cpu, cores, node, nativeBuild, commit } = describeMachine();
  console.log(`${cpu}, ${cores} cores, Node ${node}, hnswlib-node ${nativeBuild}, commit ${commit}, scale ${scale}`);
  const figures: { bench: string; figure: Figure }[] = [];
  const failures: string[] = [];
  for (const bench of benches) {
    const startMs = performance.now();
    const seconds = (): string => `${Math.round((performance.now() - startMs) / 1000)} s`;
    console.log(`\n${bench.name}: ${bench.about}`);
    try {
      const result = await bench.run((step) => console.log(`  … ${step} (${seconds()})`));
      printResult(result);
      figures.push(...result.figures.map((figure) => ({ bench: bench.name, figure })));
      console.log(`  written to ${writeResult(bench.name, result)} after ${seconds()}`);
    } catch (error) {
      failures.push(bench.name);
      console.error(`  ${bench.name} failed after ${seconds()}:`, error);
    }
  }
  printTable(
    figureTable(
      `${title}${scale === 1 ? '' : ` at scale ${scale}, which says little`}`,
      figures.filter(({ figure }) => shown(figure)),
    ),
  );
  const broken = figures.filter(({ figure }) => !holds(figure)).length;
  console.log(
    `\n${broken} of ${figures.length} figures out of bounds${failures.length > 0 ? `; failed: ${failures.join(', ')}` : ''}`,
  );
  return broken === 0 && failures.length === 0;
}
