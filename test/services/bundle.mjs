// The built program in a few files: to load it from hundreds of modules is half of the processor time of a short command, and the tests
// start some hundred of them. test/services/program.ts takes it while `dist/` is the one that it was made of.
import { cpSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rolldown } from 'rolldown';

const root = new URL('../../', import.meta.url);
const at = (path) => new URL(path, root).pathname;
// As deep as `dist/bin`, from where the program finds the package's own files.
const folder = '.cache/program/dist/bin';

rmSync(at('.cache/program'), { recursive: true, force: true });
mkdirSync(at(folder), { recursive: true });
const { mtimeMs } = statSync(at('dist/bin/flux-batch.js'));
const bundle = await rolldown({
  input: at('dist/bin/flux-batch.js'),
  platform: 'node',
  // What is native, or looks for files beside itself.
  external: [/^sharp$/, /^msgpackr-extract$/, /^fastify$/, /^@bull-board\//],
  logLevel: 'silent',
});
await bundle.write({ dir: at(folder), format: 'esm', chunkFileNames: '[name]-[hash].js' });
await bundle.close();
for (const file of ['package.json', 'prices.json', 'models.json']) cpSync(at(file), at(`.cache/program/${file}`));
for (const assets of ['src/fleet/lua', 'src/results/gallery/page']) {
  cpSync(at(`dist/${assets}`), at(`${folder}/${assets.split('/').at(-1)}`), { recursive: true });
}
writeFileSync(at('.cache/program/made-of'), String(mtimeMs));
