import { createRequire } from 'node:module';
import { type BackendProbe, firstLineOf, type ProbeResult } from './backend.ts';

/** Nimue's own C++ kernels. */
export const nativeProbe: BackendProbe = {
  name: 'native',
  tensorflowName: 'native',
  async load(): Promise<ProbeResult> {
    try {
      const { registerNativeBackend } = await import('@nimue/backend-native');
      const status = registerNativeBackend();
      // The backend's reason says how to get it, too.
      if (!status.available) return status;
      const { instructionSet, numThreads } = status;
      const description = `${instructionSet}, ${numThreads} thread${numThreads === 1 ? '' : 's'}`;
      const { version } = createRequire(import.meta.url)('@nimue/backend-native/package.json') as { version: string };
      return { available: true, description, version, device: `CPU, ${description}` };
    } catch (error) {
      return { available: false, reason: firstLineOf(error) };
    }
  },
};
