import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

// One classic script and one style sheet, put into the Python package: users need no Node.
export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  build: {
    outDir: '../src/clearhead/report/bundle',
    emptyOutDir: true,
    target: 'es2022',
    cssCodeSplit: false,
    lib: { entry: 'src/main.ts', formats: ['iife'], name: 'clearhead', fileName: () => 'app.js', cssFileName: 'app' },
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'] },
});
