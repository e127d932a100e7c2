const CHUNK_BYTES = 0x6000;

/**
 * Little-endian float32 values as base64, in Node and in a browser.
 *
 * @example
 * floatsToBase64(Float32Array.of(1, -2)); // → "AACAPwAAAMA="
 * floatsFromBase64('AACAPwAAAMA='); // → Float32Array [1, -2]
 */
export function floatsToBase64(values: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  const bytes = new Uint8Array(view.buffer);
  let text = '';
  // A multiple of 3, so that no padding comes between.
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES)));
  }
  return text;
}

export function floatsFromBase64(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getFloat32(4 * i, true));
}
