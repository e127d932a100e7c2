import { defineConfig } from 'vite';

export default defineConfig({
  // Works wherever the folder is put, also below a path.
  base: './',
  resolve: { conditions: ['@nimue/source', 'browser', 'module', 'import', 'default'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 3000 },
});
