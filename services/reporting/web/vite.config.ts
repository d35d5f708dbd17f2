import { defineConfig } from 'vite';

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
  },
  server: {
    proxy: { '/api': process.env.MOMENT_API ?? 'http://127.0.0.1:8080' },
  },
});
