import { configurations, configure } from '../test/compare-backends.ts';
import { nativeAddon } from './register-native-backend.ts';

const FUNCTIONS: [name: string, kind: number, exact: (x: number) => number, from: number, to: number, ulp: number][] = [
  ['exp', 0, Math.exp, -87, 88, 3],
  ['sigmoid', 1, (x) => 1 / (1 + Math.exp(-x)), -40, 40, 4],
  ['tanh', 2, Math.tanh, -12, 12, 4],
];

test.each(FUNCTIONS)('%s is exact to a few units in the last place', (_name, kind, exact, from, to, ulp) => {
  const x = Float32Array.from({ length: 20_001 }, (_, i) => from + ((to - from) * i) / 20_000);
  for (const configuration of configurations()) {
    configure(configuration);
    const y = new Float32Array(x.length);
    nativeAddon().evaluate(kind, x.length, x, y);
    let worst = 0;
    x.forEach((value, i) => {
      const wanted = exact(value);
      const unit = 2 ** Math.max(-126, Math.floor(Math.log2(Math.abs(wanted) || 1e-45))) * 2 ** -23;
      worst = Math.max(worst, Math.abs(y[i] - wanted) / unit);
    });
    expect(worst).toBeLessThan(ulp);
  }
});
