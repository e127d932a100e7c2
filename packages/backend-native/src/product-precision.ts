import type { ProductPrecision } from '@nimue/ops';
import type { NativeAddon } from './native-addon.ts';

let told = false;

/** Whether products run on bfloat16 operands: asked for, and the processor has them. When it has not, says so once. */
export function usesBfloat16(addon: NativeAddon, precision: ProductPrecision | undefined): boolean {
  if (precision !== 'bfloat16') return false;
  if (addon.hasBf16()) return true;
  if (!told) console.warn('native backend: this processor has no bfloat16 products; computing in float32');
  told = true;
  return false;
}
