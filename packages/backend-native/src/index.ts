export { NativeBackend } from './native-backend.ts';
export { type NativeBackendStatus, registerNativeBackend } from './register-native-backend.ts';
export { nativeBackendFallbacks } from './tf-kernels.ts';
