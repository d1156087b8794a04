import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { PACKAGE_ROOT } from '../src/version.ts';
import { judged, type Looked, rowsOf } from './time-left-judged.ts';

const FOLDER = new URL('.bench/time-left/', PACKAGE_ROOT);

/** Raw: what a change of the estimate does to them is seen without a run. */
export async function keepLooks(looked: Looked): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(new URL(`${looked.shape}.json`, FOLDER), JSON.stringify(looked));
}

/** Judges the looks of the last run again, by the estimate as it is now. */
export async function judgeAgain(): Promise<void> {
  for (const name of (await readdir(FOLDER)).sort()) {
    const looked = JSON.parse(await readFile(new URL(name, FOLDER), 'utf8')) as Looked;
    for (const { what, measured } of rowsOf(looked.shape, judged(looked))) console.log(`${what}: ${measured}`);
  }
}
