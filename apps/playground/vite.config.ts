import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

/** Writes `sw.js`, the service worker, with the names of all files and a version that changes with any of them. */
function offline(): Plugin {
  return {
    name: 'nimue-offline',
    config: (_, { command }) => ({ define: { 'import.meta.env.KEEPS_FILES': JSON.stringify(command === 'build') } }),
    writeBundle({ dir = 'dist' }) {
      const files = (readdirSync(dir, { recursive: true }) as string[])
        .filter((name) => statSync(join(dir, name)).isFile() && name !== 'sw.js')
        .map((name) => name.replaceAll('\\', '/'))
        .sort();
      const hash = createHash('sha256');
      for (const name of files) hash.update(name).update(readFileSync(join(dir, name)));
      const worker = readFileSync(new URL('./src/service-worker.js', import.meta.url), 'utf8')
        .replace("'VERSION'", JSON.stringify(hash.digest('hex').slice(0, 16)))
        .replace("['FILES']", JSON.stringify(['./', ...files]));
      writeFileSync(join(dir, 'sw.js'), worker);
    },
  };
}

export default defineConfig({
  // Works wherever the folder is put, also below a path.
  base: './',
  resolve: { conditions: ['@nimue/source', 'browser', 'module', 'import', 'default'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 3000, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  plugins: [offline()],
});
