import { defineConfig } from 'vite';

// Many small files compress worse than a few: what most pages are made of is one file, what everything is made of another.
function chunkOf(id: string): string | undefined {
  if (/\/node_modules\/|\/src\/words\/en|\/src\/(api|bus|clock|feed|floor|i18n|live|proto-texts|router|session|theme)\.ts$/.test(id)) return 'core';
  return /\/src\/(parts\/(?!frame|page-head|toasts)|(loading|autosave|standard|scoring|directory)\.ts)/.test(id) ? 'parts' : undefined;
}

// No framework plugin: esbuild's own JSX transform is all that Preact needs.
export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  worker: { format: 'es' },
  build: {
    outDir: '../../../build/web',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rollupOptions: { output: { manualChunks: chunkOf } },
  },
  server: {
    proxy: { '/api': process.env.MOMENT_API ?? 'http://127.0.0.1:8080' },
  },
});
