// A module of the page, for node: bundled by the esbuild that Vite brings.
import { build } from 'esbuild';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export async function load(path) {
  const outfile = join(await mkdtemp(join(tmpdir(), 'moment-web-')), 'module.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL(`../src/${path}`, import.meta.url))],
    bundle: true, outfile, format: 'esm', platform: 'neutral', mainFields: ['module', 'main'], logLevel: 'silent',
  });
  return import(pathToFileURL(outfile));
}
