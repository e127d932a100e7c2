import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Leaves the counts of a package's tests in `<package>/build/test-counts.json`, where `run-tests.mjs` adds them up. */
export default class CountReporter {
  constructor(globalConfig) {
    this.file = join(globalConfig.rootDir, 'build', 'test-counts.json');
  }

  onRunComplete(_contexts, results) {
    mkdirSync(join(this.file, '..'), { recursive: true });
    const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = results;
    const counts = {
      passed: numPassedTests,
      failed: numFailedTests + numRuntimeErrorTestSuites,
      skipped: numPendingTests,
    };
    writeFileSync(this.file, `${JSON.stringify(counts)}\n`);
  }
}
