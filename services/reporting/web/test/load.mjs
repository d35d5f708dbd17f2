// A module of the page, for node: bundled by the esbuild that Vite brings.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

export async function load(path) {
  const done = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${path}`, import.meta.url))],
    bundle: true, write: false, format: 'esm', platform: 'neutral', mainFields: ['module', 'main'], logLevel: 'silent',
  });
  return import(`data:text/javascript;base64,${Buffer.from(done.outputFiles[0].text).toString('base64')}`);
}
