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
      return { available: true, description: `${instructionSet}, ${numThreads} thread${numThreads === 1 ? '' : 's'}` };
    } catch (error) {
      return { available: false, reason: firstLineOf(error) };
    }
  },
};
